/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What the kernel knows about TCP connections (TCP_INFO), such as retransmissions, which round
 * trips hide. Read when a connection ends, or on demand; never for each message.
 */

#pragma once

#include <stdint.h>

/* Of all that were entered; starts as zeroes. */
struct tcp_figures {
	uint64_t connections;
	uint64_t retransmits; /* segments, SYNs among them */
	uint64_t min_rtt_us;  /* 0: not measured */
	uint64_t rtt_sum_us;  /* the smoothed one of each connection that had any */
	uint64_t rtt_count;
	uint32_t cwnd; /* of the latest one, as what follows; in segments */
	uint32_t mss;
	uint32_t pmtu;
};

/* Nothing if FD is no TCP connection. */
void tcp_figures_add(struct tcp_figures *figures, int fd);
void tcp_figures_merge(struct tcp_figures *into, const struct tcp_figures *from);

/* Mean of the smoothed round trips; NaN if there is none. */
double tcp_figures_rtt_us(const struct tcp_figures *figures);
