/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The command line of echoc: its defaults, what it refuses, and how a HOST[:PORT] is taken apart.
 */

#include "config.h"

#include "echoc/command/command_line.h"
#include "probe/target.h"
#include "support/test.h"

static struct arguments arguments;

static int parse(const char *line)
{
	static char words[512];
	static char program[] = "echoc";
	static char *argv[32];
	int argc = 1;

	memset(argv, 0, sizeof(argv));
	argv[0] = program;
	snprintf(words, sizeof(words), "%s", line);
	for (char *word = strtok(words, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	return command_line_parse(&arguments, mode_table, argc, argv);
}

/* Refusals go to standard error, which is a file here. */
static void keep_errors(void)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/errors%d", test_directory(), (int)getpid());
	ck_assert_ptr_nonnull(freopen(path, "w+", stderr));
}

static const char *errors(void)
{
	static char text[512];

	rewind(stderr);
	text[fread(text, 1, sizeof(text) - 1, stderr)] = '\0';
	return text;
}

TEST_CASE("arguments", keep_errors);

TEST(ping_has_the_documented_defaults)
{
	ck_assert_int_eq(parse("ping host"), 0);
	ck_assert_str_eq(arguments.mode->name, "ping");
	ck_assert_uint_eq(arguments.count, 0);
	ck_assert_uint_eq(arguments.interval_ms, 1000);
	ck_assert_uint_eq(arguments.size, 64);
	ck_assert_uint_eq(arguments.timeout_ms, 1000);
	ck_assert_uint_eq(arguments.report_ms, 0);
	ck_assert(!arguments.target.udp && !arguments.json && !arguments.quiet && !arguments.busy);
	ck_assert_str_eq(arguments.target.name, "host");
}

TEST(bench_has_the_documented_defaults)
{
	ck_assert_int_eq(parse("bench host"), 0);
	ck_assert_str_eq(arguments.mode->name, "bench");
	ck_assert_uint_eq(arguments.connections, 1);
	ck_assert_uint_eq(arguments.size, 64);
	ck_assert_uint_eq(arguments.depth, 1);
	ck_assert_uint_eq(arguments.rate, 0);
	ck_assert_uint_eq(arguments.duration_ms, 10000);
	ck_assert_uint_eq(arguments.threads, 1);
}

TEST(mtu_has_the_documented_defaults)
{
	ck_assert_int_eq(parse("mtu host"), 0);
	ck_assert_uint_eq(arguments.timeout_ms, 1000);
	ck_assert(arguments.target.udp);
	ck_assert_int_eq(parse("mtu -t host"), 0);
	ck_assert(!arguments.target.udp);
}

TEST(flows_has_the_documented_defaults)
{
	ck_assert_int_eq(parse("flows host"), 0);
	ck_assert_str_eq(arguments.mode->name, "flows");
	ck_assert_uint_eq(arguments.flows, 64);
	ck_assert_uint_eq(arguments.rate, 500);
	ck_assert_uint_eq(arguments.duration_ms, 10000);
	ck_assert_uint_eq(arguments.size, 64);
	ck_assert_uint_eq(arguments.timeout_ms, 1000);
	ck_assert(arguments.target.udp);
	ck_assert_int_eq(parse("flows -u host"), 0);
	ck_assert(arguments.target.udp);
	ck_assert_int_eq(parse("flows -t host"), 0);
	ck_assert(!arguments.target.udp);
}

TEST(values_are_read_with_their_units)
{
	ck_assert_int_eq(parse("ping -u -c 5 -i 10ms -s 1k -W 250ms --report 1m -q --json h:1"), 0);
	ck_assert_uint_eq(arguments.count, 5);
	ck_assert_uint_eq(arguments.interval_ms, 10);
	ck_assert_uint_eq(arguments.size, 1024);
	ck_assert_uint_eq(arguments.timeout_ms, 250);
	ck_assert_uint_eq(arguments.report_ms, 60000);
	ck_assert(arguments.target.udp && arguments.json && arguments.quiet);
	ck_assert_int_eq(arguments.target.fragmenting, FRAGMENTING_DEFAULT);
	ck_assert_int_eq(parse("ping -t -D -i 0.2 -w 1.5m h"), 0);
	ck_assert_uint_eq(arguments.interval_ms, 200);
	ck_assert_uint_eq(arguments.deadline_ms, 90000);
	ck_assert(arguments.wall_clock && !arguments.target.udp);
	ck_assert_int_eq(parse("bench -r 2.5k h"), 0);
	ck_assert_uint_eq(arguments.rate, 2500);
	ck_assert_int_eq(parse("ping --busy h"), 0);
	ck_assert(arguments.busy);
	ck_assert_int_eq(parse("bench --busy h"), 0);
	ck_assert(arguments.busy);
	ck_assert_int_eq(parse("ping -M do h"), 0);
	ck_assert_int_eq(arguments.target.fragmenting, FRAGMENTING_DO);
	ck_assert_int_eq(parse("bench h -c 8 -p 16 -r 1000 -d 2m -j 4"), 0);
	ck_assert_uint_eq(arguments.connections, 8);
	ck_assert_uint_eq(arguments.depth, 16);
	ck_assert_uint_eq(arguments.rate, 1000);
	ck_assert_uint_eq(arguments.duration_ms, 120000);
	ck_assert_uint_eq(arguments.threads, 4);
}

TEST(every_mode_takes_the_options_of_the_target)
{
	static const char *const modes[] = {"ping", "bench", "send"};
	char line[128];

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		snprintf(line, sizeof(line), "%s -Q ef --ttl 3 --proxy v2 -I 127.0.0.2:5000 h",
			 modes[i]);
		ck_assert_int_eq(parse(line), 0);
		ck_assert_uint_eq(arguments.target.tos, 184);
		ck_assert_uint_eq(arguments.target.ttl, 3);
		ck_assert_int_eq(arguments.target.proxy, PROXY_GREETING_V2);
		ck_assert_str_eq(arguments.target.source, "127.0.0.2:5000");
	}
	ck_assert_int_eq(parse("ping -u -Q ef+ect1 h"), 0);
	ck_assert_uint_eq(arguments.target.tos, 185);
	ck_assert_int_eq(parse("ping --proxy v1 h"), 0);
	ck_assert_int_eq(arguments.target.proxy, PROXY_GREETING_V1);
}

TEST(idle_has_the_documented_defaults)
{
	ck_assert_int_eq(parse("idle host"), 0);
	ck_assert(arguments.target.udp && !arguments.fresh && !arguments.stamp);
	ck_assert_uint_eq(arguments.up_to_ms, 300000);
	ck_assert_int_eq(parse("idle -t --fresh --up-to 1h host"), 0);
	ck_assert(!arguments.target.udp && arguments.fresh);
	ck_assert_uint_eq(arguments.up_to_ms, 3600000);
}

TEST(marks_has_the_documented_defaults)
{
	ck_assert_int_eq(parse("marks host"), 0);
	ck_assert(arguments.target.udp && !arguments.stamp && !arguments.dscps);
	ck_assert_uint_eq(arguments.count, 3);
	ck_assert_uint_eq(arguments.interval_ms, 10);
	ck_assert_uint_eq(arguments.timeout_ms, 1000);
	ck_assert_uint_eq(arguments.target.default_port, 0);
	ck_assert_int_eq(parse("marks --stamp --dscp ef,0 --key-file k host"), 0);
	ck_assert_uint_eq(arguments.target.default_port, 862);
	ck_assert_str_eq(arguments.dscps, "ef,0");
}

TEST(far_sides_that_measure_are_udp)
{
	ck_assert_int_eq(parse("ping --stamp --key-file k --ssid 65535 --ttl-guarded h"), 0);
	ck_assert(arguments.stamp && arguments.target.udp && arguments.ttl_guarded);
	ck_assert_str_eq(arguments.key_file, "k");
	ck_assert_uint_eq(arguments.ssid, 65535);
	ck_assert_uint_eq(arguments.size, 0);
	ck_assert_uint_eq(arguments.target.ttl, 255);
	ck_assert_uint_eq(arguments.target.default_port, 862);
	ck_assert_int_eq(parse("ping --stamp -s 100 --ttl 7 h"), 0);
	ck_assert_uint_eq(arguments.size, 100);
	ck_assert_uint_eq(arguments.target.ttl, 7);
	ck_assert_int_eq(parse("ping --plus --ttl-fresh h"), 0);
	ck_assert(arguments.plus && arguments.target.udp && arguments.ttl_fresh);
	ck_assert_uint_eq(arguments.size, 64);
	ck_assert_uint_eq(arguments.target.ttl, 0);
	ck_assert_uint_eq(arguments.target.default_port, 0);
}

TEST(with_trains_some_of_them_are_outstanding)
{
	ck_assert_int_eq(parse("bench -u -g host"), 0);
	ck_assert_uint_eq(arguments.depth, 8 * 128);
	ck_assert_int_eq(parse("bench -u -g -s 1400 host"), 0);
	ck_assert_uint_eq(arguments.depth, 4 * 46);
	ck_assert_int_eq(parse("bench -u -g -s 65507 host"), 0);
	ck_assert_uint_eq(arguments.depth, 4);
	ck_assert_int_eq(parse("bench -u -g -p 8 host"), 0);
	ck_assert_uint_eq(arguments.depth, 8);
}

TEST(a_text_may_look_like_an_option)
{
	ck_assert_int_eq(parse("send -u host:7 -n hello -u"), 0);
	ck_assert_uint_eq(arguments.text_count, 3);
	ck_assert_str_eq(arguments.texts[0], "-n");
	ck_assert_uint_eq(arguments.timeout_ms, 5000);
}

static const char *const refused[][2] = {
	{"", "missing mode: use ping, bench, send, flows, marks, idle or mtu"},
	{"pong host", "unknown mode \"pong\""},
	{"ping", "missing target"},
	{"ping a b", "more than one target: \"b\""},
	{"ping -c 0 host", "-c 0: "},
	{"ping -c -1 host", "-c -1: "},
	{"ping -c 1x host", "-c 1x: "},
	{"ping -c", "-c needs a value"},
	{"ping -i 0 host", "from 1ms to 1d"},
	{"ping -s 31 host", "from 32 to 16777216"},
	{"ping -s 17m host", "from 32 to 16777216"},
	{"ping -W 0 host", "from 1ms to 1h"},
	{"ping -z host", "ping has no option -z"},
	{"ping --nothing host", "unknown option --nothing"},
	{"ping -t -u host", "-t and -u cannot be used together"},
	{"bench -t unix:/x", "-t does not apply to unix"},
	{"ping -i 0.0004 host", "from 1ms to 1d"},
	{"ping -i 0.0009 host", "from 1ms to 1d"},
	{"ping -w 0 host", "from 1ms to 365d"},
	{"bench -D host", "bench has no option -D"},
	{"ping --report x host", "from 1ms to 365d"},
	{"ping --report", "--report needs a value"},
	{"ping -g host", "ping has no option -g"},
	{"ping -d 1s host", "ping has no option -d"},
	{"ping -4 -6 host", "cannot be used together"},
	{"ping -4 unix:/x", "do not apply to unix"},
	{"ping -I ::1 unix:/x", "do not apply to unix"},
	{"ping -u unix:/x", "unix: is a stream"},
	{"ping -M maybe host", "must be do, want or dont"},
	{"ping -M do unix:/x", "do not apply to unix"},
	{"ping -Q 256 host", "-Q 256: must be from 0 to 255"},
	{"ping -Q ef unix:/x", "do not apply to unix"},
	{"ping --ttl 0 host", "--ttl 0: "},
	{"ping --ttl 256 host", "from 1 to 255"},
	{"ping --ttl 9 unix:/x", "do not apply to unix"},
	{"ping --proxy v3 host", "--proxy v3: must be v1 or v2"},
	{"ping --proxy v1 unix:/x", "do not apply to unix"},
	{"ping -u --proxy v1 host", "--proxy applies to TCP only"},
	{"ping -Q ef+ect0 host", "with TCP the kernel sets ECN"},
	{"ping --stamp --plus host", "--stamp and --plus cannot be used together"},
	{"ping --stamp -t host", "-t does not apply to --stamp"},
	{"ping --plus unix:/x", "--stamp and --plus do not apply to unix"},
	{"ping --plus --key-file k host", "--key-file and --ssid need --stamp"},
	{"ping --ssid 1 host", "--key-file and --ssid need --stamp"},
	{"ping --stamp --ssid 65536 host", "from 0 to 65535"},
	{"ping -u --ttl-fresh host", "need --stamp or --plus"},
	{"ping --stamp --ttl-fresh --ttl-guarded host", "cannot be used together"},
	{"marks -t host", "marks has no option -t"},
	{"marks -Q ef host", "marks has no option -Q"},
	{"mtu -M do host", "mtu has no option -M"},
	{"marks unix:/x", "marks needs a host"},
	{"marks -c 1001 host", "from 1 to 1000"},
	{"marks -s 64 host", "marks has no option -s"},
	{"idle --up-to 0 host", "from 1s to 1d"},
	{"idle -t --stamp host", "-t does not apply to --stamp"},
	{"idle unix:/x", "idle needs a host"},
	{"idle -c 1 host", "idle has no option -c"},
	{"bench --stamp host", "bench has no option --stamp"},
	{"bench -i 1s host", "bench has no option -i"},
	{"bench -p 0 host", "from 1 to 65536"},
	{"bench -r 0 host", "from 1 to 100000000"},
	{"bench -d 0 host", "from 10ms to 365d"},
	{"bench -c 2 -j 3 host", "more threads than connections (-c 2)"},
	{"bench -g host", "-g sends UDP"},
	{"bench -u --connect host", "datagrams have no connections"},
	{"bench --connect unixgram:/x", "datagrams have no connections"},
	{"bench --connect -p 2 host", "leave out -p"},
	{"ping --connect host", "ping has no option --connect"},
	{"bench -u -g unixgram:/x", "-g sends UDP"},
	{"send -s 64 host", "send has no option -s"},
	{"send --busy host", "send has no option --busy"},
	{"send", "missing target"},
	{"mtu -s 64 host", "mtu has no option -s"},
	{"mtu unix:/x", "mtu needs a host"},
	{"flows -n 0 host", "from 1 to 4096"},
	{"flows -r 0 host", "from 1 to 1000000"},
	{"flows -i 1s host", "flows has no option -i"},
	{"flows unix:/x", "flows needs a host"},
	{"flows unixgram:/x", "flows needs a host"},
};

TEST_EACH(bad_usage_is_refused_with_the_reason, ARRAY_SIZE(refused))
{
	ck_assert_msg(parse(refused[_i][0]) < 0, "\"%s\" was taken", refused[_i][0]);
	ck_assert_msg(strstr(errors(), refused[_i][1]), "\"%s\" lacks \"%s\"", errors(),
		      refused[_i][1]);
}

struct split {
	const char *text;
	const char *host; /* NULL: refused */
	uint16_t port;
};

static const struct split splits[] = {
	{"host", "host", 7},
	{"host:7007", "host", 7007},
	{"192.0.2.7", "192.0.2.7", 7},
	{"192.0.2.7:9", "192.0.2.7", 9},
	{"::1", "::1", 7},
	{"2001:db8::7", "2001:db8::7", 7},
	{"[::1]", "::1", 7},
	{"[::1]:7007", "::1", 7007},
	{"[fe80::1%eth0]:7", "fe80::1%eth0", 7},
	{"fe80::1%eth0", "fe80::1%eth0", 7},
	{"", NULL, 0},
	{":7", NULL, 0},
	{"host:", NULL, 0},
	{"host:0", NULL, 0},
	{"host:65536", NULL, 0},
	{"host:http", NULL, 0},
	{"[::1", NULL, 0},
	{"[::1]7", NULL, 0},
	{"[]:7", NULL, 0},
	{"*", NULL, 0},
	{"*:7", NULL, 0},
};

TEST_EACH(hosts_and_ports_are_taken_apart, ARRAY_SIZE(splits))
{
	const struct split *split = &splits[_i];
	char host[TARGET_NAME_MAX];
	struct reason reason;
	uint16_t port;
	int result = target_split(split->text, TARGET_DEFAULT_PORT, host, &port, &reason);

	if (!split->host) {
		ck_assert_msg(result < 0, "\"%s\" was taken", split->text);
		return;
	}
	ck_assert_msg(result == 0, "\"%s\" was refused: %s", split->text, reason.text);
	ck_assert_str_eq(host, split->host);
	ck_assert_uint_eq(port, split->port);
}

struct size_limit {
	const char *line;
	bool fits;
};

static const struct size_limit limits[] = {
	{"ping -u -s 65507 127.0.0.1", true},
	{"ping -u -s 65508 127.0.0.1", false},
	{"ping -u -s 65527 ::1", true},
	{"ping -u -s 65528 ::1", false},
	{"ping -s 16m 127.0.0.1", true},
	{"ping -s 65535 unixgram:/x", true},
	{"ping -s 64k unixgram:/x", false},
	{"ping -s 16m unix:/x", true},
	{"ping -I 127.0.0.2 127.0.0.1", true},
	{"ping -I 127.0.0.2 ::1", false},
	{"ping -6 -I 127.0.0.2 ::1", false},
	{"ping -I nonsense ::1", false},
	{"ping -I 127.0.0.2:9 127.0.0.1", true},
	{"ping -I [::1]:9 ::1", true},
	{"ping -I 127.0.0.2:x 127.0.0.1", false},
	{"ping -I lo 127.0.0.1", true},
	{"ping -I lo:9 127.0.0.1", false},
	{"ping -I lo ::1", true},
	{"ping unix:relative", false},
	{"ping -6 127.0.0.1", false},
};

TEST_EACH(what_does_not_fit_the_target_is_refused, ARRAY_SIZE(limits))
{
	struct target target;
	struct reason reason;

	ck_assert_int_eq(parse(limits[_i].line), 0);
	ck_assert_msg((target_resolve(&target, &arguments.target, arguments.size, &reason) == 0) ==
			      limits[_i].fits,
		      "%s", limits[_i].line);
}
