/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Round-trip times, summed up: extremes, mean, deviation, percentiles; and the jitter of RFC 3550,
 * which belongs to one flow and is therefore kept apart.
 */

#pragma once

#include <stdint.h>

#include "probe/histogram.h"

struct latency {
	uint64_t count;
	uint64_t min; /* all in nanoseconds */
	uint64_t max;
	double sum;
	double squares;
	struct histogram histogram;
};

/* One flow's interarrival jitter; that of many is the mean of theirs. Starts as zeroes. */
struct jitter {
	double value;
	uint64_t previous;
	uint64_t differences;
};

void latency_clear(struct latency *latency);
/* COUNT round trips of the same length. */
void latency_add(struct latency *latency, uint64_t ns, uint64_t count);
void latency_merge(struct latency *into, const struct latency *from);

/* All of these are NaN while nothing was measured; in nanoseconds. */
double latency_mean(const struct latency *latency);
double latency_deviation(const struct latency *latency);
double latency_percentile(const struct latency *latency, double percent);

/* RFC 5481: how much more than the least; the percentile of that. */
double latency_variation(const struct latency *latency, double percent);

/* Takes in COUNT round trips of the same length, of replies that came after the previous one. */
void jitter_add(struct jitter *jitter, uint64_t ns, uint64_t count);
