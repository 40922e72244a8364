/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See history.h. A ring; rates use the actual time between samples, so that a late one is no burst.
 */

#include "config.h"

#include "echod/status/history.h"

#include <string.h>

#define SLOTS (HISTORY_SECONDS + 1)

void history_add(struct history *history, int64_t when, const struct totals *totals)
{
	history->samples[history->next] = (struct sample){.when = when, .totals = *totals};
	history->next = (history->next + 1) % SLOTS;
	if (history->count < SLOTS)
		history->count++;
}

const struct sample *history_at(const struct history *history, size_t age)
{
	if (age >= history->count)
		return NULL;
	return &history->samples[(history->next + SLOTS - 1 - age) % SLOTS];
}

static uint64_t counter_at(const struct sample *sample, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)&sample->totals + offset, sizeof(value));
	return value;
}

double history_rate(const struct sample *from, const struct sample *to, size_t offset)
{
	uint64_t before, after;

	if (!from || !to || to->when <= from->when)
		return 0;
	before = counter_at(from, offset);
	after = counter_at(to, offset);
	return after > before ? (double)(after - before) * 1000 / (double)(to->when - from->when)
			      : 0;
}
