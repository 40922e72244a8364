/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How often each duration was seen, in constant memory however long a run takes: every power of two
 * is cut into 64 equal buckets, so that what is read back is within 1/64 of what was put in.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#define HISTOGRAM_SUBBITS 6
#define HISTOGRAM_SUBBUCKETS (1u << HISTOGRAM_SUBBITS)
#define HISTOGRAM_MAX_BITS 46 /* 2^46 ns is 19 hours; what is longer counts as that */
#define HISTOGRAM_BUCKETS ((HISTOGRAM_MAX_BITS - HISTOGRAM_SUBBITS + 1) * HISTOGRAM_SUBBUCKETS)

struct histogram {
	uint64_t total;
	uint64_t buckets[HISTOGRAM_BUCKETS];
};

static inline size_t histogram_bucket(uint64_t value)
{
	unsigned octave;

	if (value < HISTOGRAM_SUBBUCKETS)
		return (size_t)value;
	if (value >> HISTOGRAM_MAX_BITS)
		value = (UINT64_C(1) << HISTOGRAM_MAX_BITS) - 1;
	octave = 63 - (unsigned)__builtin_clzll(value) - HISTOGRAM_SUBBITS;
	return (size_t)octave * HISTOGRAM_SUBBUCKETS + (size_t)(value >> octave);
}

static inline void histogram_add(struct histogram *histogram, uint64_t value, uint64_t count)
{
	histogram->total += count;
	histogram->buckets[histogram_bucket(value)] += count;
}

void histogram_clear(struct histogram *histogram);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The value that PERCENT, to a tenth, of all are at or below; 0 when there is none. */
uint64_t histogram_percentile(const struct histogram *histogram, double percent);

/* How many values are at least FROM and below TO, to the width of a bucket. */
uint64_t histogram_between(const struct histogram *histogram, uint64_t from, uint64_t to);

/* The smallest value that goes into bucket INDEX. */
uint64_t histogram_lowest(size_t index);
