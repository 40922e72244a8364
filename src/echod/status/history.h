/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The totals of the last minute, a sample a second, for the status page. A plain value. */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "echod/counters/totals.h"

#define HISTORY_SECONDS 60

struct sample {
	int64_t when; /* clock_ms */
	struct totals totals;
};

/* Empty if zeroed. */
struct history {
	struct sample samples[HISTORY_SECONDS + 1]; /* the seconds between them */
	size_t count;
	size_t next;
};

void history_add(struct history *history, int64_t when, const struct totals *totals);

/* The newest has age 0; NULL if there is none that old. */
const struct sample *history_at(const struct history *history, size_t age);

/*
 * By how much the counter at OFFSET in struct totals has grown a second from one sample to the
 * other; 0 when one of them is missing.
 */
double history_rate(const struct sample *from, const struct sample *to, size_t offset);
