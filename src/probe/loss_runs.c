/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Runs of losses. A run counts from its first loss on. */

#include "config.h"

#include "probe/loss_runs.h"

#include <math.h>

static void enter(struct loss_runs *runs, bool lost)
{
	if (!lost) {
		runs->current = 0;
		return;
	}
	runs->count += runs->current == 0;
	runs->current++;
	runs->lost++;
	if (runs->current > runs->longest)
		runs->longest = runs->current;
}

void loss_runs_follow(struct loss_runs *runs, const struct flow *flow, uint64_t until)
{
	uint64_t sequence;

	while ((sequence = flow_settled(flow, &runs->next, until)) != 0) {
		if (sequence != runs->excused)
			enter(runs, !flow_was_in_time(flow, sequence));
	}
}

void loss_runs_restart(struct loss_runs *runs)
{
	*runs = (struct loss_runs){.next = runs->next, .excused = runs->excused};
}

double loss_runs_mean(const struct loss_runs *runs)
{
	return runs->count > 0 ? (double)runs->lost / (double)runs->count : (double)NAN;
}
