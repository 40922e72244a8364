/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The totals of the last minute and ten seconds, a sample a second. A plain value. */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "echod/counters/totals.h"

#define HISTORY_SECONDS 60

/* Rates are averages over this many seconds, so that they stay readable. */
#define RATE_SECONDS 10

struct sample {
	int64_t when; /* clock_ms */
	struct totals totals;
};

/* Empty if zeroed. */
struct history {
	struct sample samples[HISTORY_SECONDS + RATE_SECONDS];
	size_t count;
	size_t next;
};

void history_add(struct history *history, int64_t when, const struct totals *totals);

/* The newest has age 0; NULL if there is none that old. */
const struct sample *history_at(const struct history *history, size_t age);

/*
 * By how much the counter at OFFSET in struct totals has grown a second, on average over the
 * RATE_SECONDS before the sample of that age, or as far back as is known; 0 if nothing is.
 */
double history_rate(const struct history *history, size_t age, size_t offset);
