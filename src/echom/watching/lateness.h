/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How much later than due probes were sent: the error that this process adds to its own figures. A
 * plain value.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

/* Upper bounds of 100 us * 2^k, to 3.3 s; one bucket more for what was later. */
#define LATENESS_BOUNDS 16
#define LATENESS_FIRST_BOUND (100 * NS_PER_US)

struct lateness {
	uint64_t sum; /* nanoseconds */
	uint64_t buckets[LATENESS_BOUNDS + 1];
};

static inline uint64_t lateness_bound(size_t index)
{
	return LATENESS_FIRST_BOUND << index;
}

static inline void lateness_add(struct lateness *lateness, uint64_t ns)
{
	size_t bucket = 0;

	while (bucket < LATENESS_BOUNDS && ns > lateness_bound(bucket))
		bucket++;
	lateness->buckets[bucket]++;
	lateness->sum += ns;
}
