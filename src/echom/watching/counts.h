/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The fate of the probes of one target, for Prometheus. At any moment
 *
 *	sent = received + lost + outstanding
 *
 * where received is a first reply in time, intact or not, and lost is final. A plain value.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "probe/flow.h"

/* Upper bounds of 50 us * 2^k, to 26.2 s; one bucket more for what took longer. */
#define RTT_BOUNDS 20
#define RTT_FIRST_BOUND (50 * NS_PER_US)

struct counts {
	uint64_t sent;
	uint64_t received;
	uint64_t lost;
	uint64_t late;
	uint64_t duplicates;
	uint64_t out_of_order;
	uint64_t corrupt;
	uint64_t truncated;
	uint64_t reconnects;
	uint64_t resolve_failures;
	uint64_t rtt_sum; /* nanoseconds, as the minimum */
	uint64_t rtt_min; /* 0: none yet */
	uint64_t rtt[RTT_BOUNDS + 1];
};

static inline uint64_t rtt_bound(size_t index)
{
	return RTT_FIRST_BOUND << index;
}

/* A reply, by its fate; IN_ORDER is about one received. */
void counts_reply(struct counts *counts, enum fate fate, const struct finding *finding,
		  uint64_t rtt, bool in_order);
