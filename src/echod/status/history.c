/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See history.h. A ring; rates use the actual time between samples, so that a late one is no burst.
 */

#include "config.h"

#include "echod/status/history.h"

#include <string.h>

#define SLOTS (HISTORY_SECONDS + RATE_SECONDS)

void history_add(struct history *history, int64_t when, const struct totals *totals)
{
	history->samples[history->next] = (struct sample){.when = when, .totals = *totals};
	history->next = (history->next + 1) % SLOTS;
	if (history->count < SLOTS)
		history->count++;
}

/* There is one of that AGE. */
static const struct sample *sample_at(const struct history *history, size_t age)
{
	return &history->samples[(history->next + SLOTS - 1 - age) % SLOTS];
}

const struct sample *history_at(const struct history *history, size_t age)
{
	return age < history->count ? sample_at(history, age) : NULL;
}

static uint64_t counter_at(const struct sample *sample, size_t offset)
{
	uint64_t value;

	memcpy(&value, (const char *)&sample->totals + offset, sizeof(value));
	return value;
}

static double rate_between(const struct sample *from, const struct sample *to, size_t offset)
{
	uint64_t before = counter_at(from, offset), after = counter_at(to, offset);

	if (to->when <= from->when || after < before)
		return 0;
	return (double)(after - before) * 1000 / (double)(to->when - from->when);
}

double history_rate(const struct history *history, size_t age, size_t offset)
{
	size_t oldest = age + RATE_SECONDS;

	if (age + 1 >= history->count)
		return 0;
	if (oldest >= history->count)
		oldest = history->count - 1;
	return rate_between(sample_at(history, oldest), sample_at(history, age), offset);
}
