/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See counts.h. Called by the watch that owns the counts. */

#include "config.h"

#include "echom/watching/counts.h"

static void add_rtt(struct counts *counts, uint64_t rtt)
{
	size_t bucket = 0;

	while (bucket < RTT_BOUNDS && rtt > rtt_bound(bucket))
		bucket++;
	counts->rtt[bucket]++;
	counts->rtt_sum += rtt;
	if (counts->rtt_min == 0 || rtt < counts->rtt_min)
		counts->rtt_min = rtt;
}

void counts_reply(struct counts *counts, enum fate fate, const struct finding *finding,
		  uint64_t rtt, bool in_order)
{
	switch (fate) {
	case FATE_RECEIVED:
		counts->received++;
		counts->corrupt += finding->verdict == VERDICT_CORRUPT;
		counts->truncated += finding->verdict == VERDICT_TRUNCATED;
		counts->out_of_order += !in_order;
		add_rtt(counts, rtt);
		break;
	case FATE_LATE:
		counts->late++;
		break;
	case FATE_DUPLICATE:
	default:
		counts->duplicates++;
	}
}
