/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The table of modes. To add one, add a row here, a folder, and its options in
 * command/option_table.c.
 */

#include "config.h"

#include "echoc/command/mode.h"

#include <stddef.h>

const struct mode mode_table[] = {
	{
		.name = "ping",
		.letter = 'p',
		.usage = "[-u | --stamp | --plus] [-c N] [-i INTERVAL] [-s SIZE]\n"
			 "                   [-W TIMEOUT] [-w DEADLINE] [--outage N] [--report "
			 "INTERVAL]\n"
			 "                   [--busy] [-Dq] HOST[:PORT]",
		.purpose = "one probe every INTERVAL (1s): is the path up, how long does it take",
		.options =
			"-c N probes (endless)  -s SIZE in bytes (64)  -W TIMEOUT (1s)\n"
			"        -w DEADLINE  stop after that long  -D  print the wall clock on "
			"each line\n"
			"        --outage N  lost in a row are an outage (2)  -q  only summaries\n"
			"        --report INTERVAL: a summary every INTERVAL\n"
			"        --busy  poll without sleeping\n"
			"        --stamp  each way apart, from a STAMP reflector on port 862;\n"
			"          --key-file FILE  --ssid N  --ttl-guarded, --ttl-fresh  hops "
			"back\n"
			"        --plus  the same from a UDPEchoPlus server (TR-143)",
		.run = ping_run,
	},
	{
		.name = "bench",
		.letter = 'b',
		.usage =
			"[-u] [-c CONNECTIONS] [-s SIZE] [-p DEPTH] [-r RATE]\n"
			"                   [-d DURATION] [-W TIMEOUT] [-j THREADS] [-g] [--busy]\n"
			"                   [--connect] HOST[:PORT]",
		.purpose =
			"DEPTH (1) messages outstanding on each connection, or RATE per second:\n"
			"         how much does the path carry, and how fast",
		.options = "-c CONNECTIONS (1)  -s SIZE (64)  -d DURATION (10s)  -j THREADS (1)\n"
			   "        -g  send UDP in trains, eight of them outstanding without -p\n"
			   "        -W TIMEOUT (1s)  --busy  poll without sleeping\n"
			   "        --connect  a TCP connection for each message",
		.run = bench_run,
	},
	{
		.name = "send",
		.letter = 's',
		.takes_text = true,
		.usage = "[-u] [-w TIMEOUT] HOST[:PORT] [TEXT...]",
		.purpose = "TEXT or standard input goes out and must come back unchanged",
		.options = "-w TIMEOUT  give up when nothing has moved for that long (5s)",
		.run = send_run,
	},
	{
		.name = "flows",
		.letter = 'f',
		.prefers_udp = true,
		.needs_host = true,
		.usage = "[-t] [-n FLOWS] [-r RATE] [-d DURATION] [-s SIZE]\n"
			 "                   [-W TIMEOUT] HOST[:PORT]",
		.purpose = "probes from many source ports: which of many paths loses",
		.options = "-n FLOWS, one a source port (64)  -r RATE, of all together (500)\n"
			   "        -d DURATION (10s)  -s SIZE in bytes (64)  -W TIMEOUT (1s)\n"
			   "        -I ADDRESS:PORT  the first source port (random)",
		.run = flows_run,
	},
	{
		.name = "marks",
		.letter = 'k',
		.prefers_udp = true,
		.needs_host = true,
		.speaks_stamp = true,
		.usage = "[--stamp] [--dscp LIST] [-c N] [-i INTERVAL] [-W TIMEOUT]\n"
			 "                   HOST[:PORT]",
		.purpose = "what becomes of DSCP and ECN: each way with a STAMP reflector",
		.options = "--dscp LIST  all, or as in 0,8-15,ef,af41 (those in use)\n"
			   "        -c N probes of each (3)  -i INTERVAL (10ms)  -W TIMEOUT (1s)\n"
			   "        --stamp  port 862 by default  --key-file FILE  --ssid N",
		.run = marks_run,
	},
	{
		.name = "idle",
		.letter = 'i',
		.prefers_udp = true,
		.needs_host = true,
		.speaks_stamp = true,
		.usage = "[-t] [--stamp] [--up-to DURATION] [--fresh] HOST[:PORT]",
		.purpose = "how long NAT and firewalls remember a silent flow",
		.options =
			"--up-to DURATION  the longest silence (5m)\n"
			"        --fresh  flows answered once, not established for some seconds\n"
			"        --stamp  port 862 by default  --key-file FILE  --ssid N",
		.run = idle_run,
	},
	{
		.name = "mtu",
		.letter = 'm',
		.prefers_udp = true,
		.needs_host = true,
		.usage = "[-t] [-W TIMEOUT] HOST[:PORT]",
		.purpose = "the largest packet that passes, each way, and who says so",
		.options = "-W TIMEOUT (1s)  -v  each size that is tried",
		.run = mtu_run,
	},
	{.name = NULL},
};
