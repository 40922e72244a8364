/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The log-linear histogram. Owns nothing beyond the struct; the latencies of every mode and the
 * drawing at the end of a bench use it.
 */

#include "config.h"

#include "probe/histogram.h"

#include <math.h>
#include <string.h>

void histogram_clear(struct histogram *histogram)
{
	memset(histogram, 0, sizeof(*histogram));
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	if (from->total == 0)
		return;
	into->total += from->total;
	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

/* The first two rows of buckets are one wide; each row after that doubles the width. */
uint64_t histogram_lowest(size_t index)
{
	uint64_t octave;

	if (index < 2 * HISTOGRAM_SUBBUCKETS)
		return index;
	octave = index / HISTOGRAM_SUBBUCKETS - 1;
	return (uint64_t)(HISTOGRAM_SUBBUCKETS + index % HISTOGRAM_SUBBUCKETS) << octave;
}

static uint64_t bucket_middle(size_t index)
{
	uint64_t low = histogram_lowest(index);

	return low + (histogram_lowest(index + 1) - low) / 2;
}

uint64_t histogram_percentile(const struct histogram *histogram, double percent)
{
	/* In whole numbers: 99.9 is not exact as a double, and x87 would round it differently. */
	uint64_t tenths = (uint64_t)lround(percent * 10.0);
	uint64_t rank = (histogram->total * tenths + 999) / 1000;
	uint64_t seen = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (seen >= rank)
			return bucket_middle(i);
	}
	return 0;
}

uint64_t histogram_between(const struct histogram *histogram, uint64_t from, uint64_t to)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		uint64_t low = histogram_lowest(i);

		if (low >= from && low < to)
			sum += histogram->buckets[i];
	}
	return sum;
}
