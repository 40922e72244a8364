/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* How long something took: minimum, mean and maximum, where percentiles would add nothing. */

#pragma once

#include <math.h>
#include <stdint.h>

/* In nanoseconds. Starts as zeroes. */
struct spread {
	uint64_t count;
	uint64_t min;
	uint64_t max;
	uint64_t sum;
};

static inline void spread_add(struct spread *spread, uint64_t ns)
{
	if (spread->count == 0 || ns < spread->min)
		spread->min = ns;
	if (ns > spread->max)
		spread->max = ns;
	spread->count++;
	spread->sum += ns;
}

static inline void spread_merge(struct spread *into, const struct spread *from)
{
	if (from->count == 0)
		return;
	if (into->count == 0 || from->min < into->min)
		into->min = from->min;
	if (from->max > into->max)
		into->max = from->max;
	into->count += from->count;
	into->sum += from->sum;
}

/* NaN while there is none. */
static inline double spread_mean(const struct spread *spread)
{
	return spread->count > 0 ? (double)spread->sum / (double)spread->count : (double)NAN;
}
