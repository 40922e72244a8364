/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * TCP_INFO, summed up. Owns nothing; a link enters each of its connections.
 */

#include "config.h"

#include "probe/tcp_figures.h"

#include <linux/tcp.h> /* more of struct tcp_info than the C library has */
#include <math.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#define NO_MIN_RTT UINT32_MAX

static void enter_min_rtt(struct tcp_figures *figures, uint64_t us)
{
	if (us != 0 && us != NO_MIN_RTT && (figures->min_rtt_us == 0 || us < figures->min_rtt_us))
		figures->min_rtt_us = us;
}

static void enter_rtt(struct tcp_figures *figures, uint32_t us)
{
	figures->rtt_sum_us += us;
	figures->rtt_count += us != 0;
}

/* An older kernel fills in less: what it does not know stays 0. */
void tcp_figures_add(struct tcp_figures *figures, int fd)
{
	struct tcp_info info;
	socklen_t length = sizeof(info);

	memset(&info, 0, sizeof(info));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
		return;
	figures->connections++;
	figures->retransmits += info.tcpi_total_retrans;
	figures->cwnd = info.tcpi_snd_cwnd;
	figures->mss = info.tcpi_snd_mss;
	figures->pmtu = info.tcpi_pmtu;
	enter_rtt(figures, info.tcpi_rtt);
	enter_min_rtt(figures, info.tcpi_min_rtt);
}

double tcp_figures_rtt_us(const struct tcp_figures *figures)
{
	if (figures->rtt_count == 0)
		return (double)NAN;
	return (double)figures->rtt_sum_us / (double)figures->rtt_count;
}

void tcp_figures_merge(struct tcp_figures *into, const struct tcp_figures *from)
{
	if (from->connections == 0)
		return;
	into->connections += from->connections;
	into->retransmits += from->retransmits;
	into->rtt_sum_us += from->rtt_sum_us;
	into->rtt_count += from->rtt_count;
	into->cwnd = from->cwnd;
	into->mss = from->mss;
	into->pmtu = from->pmtu;
	enter_min_rtt(into, from->min_rtt_us);
}
