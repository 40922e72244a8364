/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How much longer than the shortest the delays on one way were (PDV of RFC 5481), measured with two
 * clocks that are not synchronised. Their difference cancels out; over more than a minute their
 * drift, the line along the lower edge of the delays, is removed. Owns the delays.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

#define DELAYS_MAX 65536u /* of more than that only every second, fourth ... is kept */

struct delay {
	int64_t at;    /* when, by our clock */
	int64_t value; /* nanoseconds, with whatever the clocks differ by */
};

struct delay_variation {
	struct delay *delays; /* relative to the first */
	struct delay first;
	size_t count;
	size_t room;
	uint64_t entered;
	uint64_t stride; /* each of how many is kept; 0: none was entered */
};

/* Starts as zeroes. Without memory the delay is left out. */
void delay_variation_enter(struct delay_variation *variation, const struct delay *delay);
void delay_variation_clear(struct delay_variation *variation);

/* In nanoseconds; NaN without delays. Sorts by time what was entered. -1 without memory. */
int delay_variation_percentiles(struct delay_variation *variation, const double *percents,
				double *values, size_t count) WARN_UNUSED;
