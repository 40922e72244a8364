/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Extents of reordering. The first reply to overtake another is itself in order, since it is higher
 * than all before it: only those have to be kept.
 */

#include "config.h"

#include "probe/reordering.h"

#include <math.h>

/* The BACK-th latest that came in order, from 1. */
static struct in_order *kept(struct reordering *reordering, uint64_t back)
{
	return &reordering->kept[(reordering->heads - back) % REORDERING_KEPT];
}

static uint64_t count_kept(const struct reordering *reordering)
{
	return reordering->heads < REORDERING_KEPT ? reordering->heads : REORDERING_KEPT;
}

/* How many of those kept are higher. */
static uint64_t count_higher(struct reordering *reordering, uint64_t sequence)
{
	uint64_t higher = 0;

	while (higher < count_kept(reordering) && kept(reordering, higher + 1)->sequence > sequence)
		higher++;
	return higher;
}

void reordering_enter(struct reordering *reordering, uint64_t sequence)
{
	uint64_t higher = count_higher(reordering, sequence);
	uint64_t extent;

	reordering->arrivals++;
	if (higher == 0) {
		reordering->heads++;
		*kept(reordering, 1) = (struct in_order){reordering->arrivals, sequence};
		return;
	}
	extent = reordering->arrivals - kept(reordering, higher)->arrival;
	reordering->count++;
	reordering->sum += extent;
	if (extent > reordering->max)
		reordering->max = extent;
}

void reordering_restart(struct reordering *reordering)
{
	reordering->count = 0;
	reordering->sum = 0;
	reordering->max = 0;
}

double reordering_mean(const struct reordering *reordering)
{
	if (reordering->count == 0)
		return (double)NAN;
	return (double)reordering->sum / (double)reordering->count;
}
