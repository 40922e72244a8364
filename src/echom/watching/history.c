/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See history.h. Filled by the watch that owns it, read by the page. */

#include "config.h"

#include "echom/watching/history.h"

#include <string.h>

#define MINUTE (60 * NS_PER_S)

/*
 * Minutes that have passed without a probe are empty. A reply may have come before the latest loss
 * was noticed, in the minute before: it counts in the latest one.
 */
static struct minute *current(struct history *history, uint64_t now)
{
	uint64_t minute = now / MINUTE;

	if (minute < history->minute)
		minute = history->minute;
	if (minute - history->minute >= HISTORY_MINUTES)
		memset(history->minutes, 0, sizeof(history->minutes));
	else
		while (history->minute < minute)
			history->minutes[++history->minute % HISTORY_MINUTES] = (struct minute){0};
	history->minute = minute;
	return &history->minutes[minute % HISTORY_MINUTES];
}

void history_received(struct history *history, uint64_t now, uint64_t rtt)
{
	struct minute *minute = current(history, now);

	minute->received++;
	minute->rtt_sum += rtt;
}

void history_lost(struct history *history, uint64_t now)
{
	current(history, now)->lost++;
}

void history_outage(struct history *history, const struct past_outage *outage)
{
	history->past[history->outages++ % HISTORY_OUTAGES] = *outage;
}

struct minute history_minute(const struct history *history, uint64_t now, uint64_t ago)
{
	uint64_t minute = now / MINUTE - ago;

	if (minute > history->minute || history->minute - minute >= HISTORY_MINUTES)
		return (struct minute){0};
	return history->minutes[minute % HISTORY_MINUTES];
}

struct minute history_hour(const struct history *history, uint64_t now)
{
	struct minute sum = {0};

	for (uint64_t ago = 0; ago < HISTORY_MINUTES; ago++) {
		struct minute minute = history_minute(history, now, ago);

		sum.received += minute.received;
		sum.lost += minute.lost;
		sum.rtt_sum += minute.rtt_sum;
	}
	return sum;
}

const struct past_outage *history_past(const struct history *history, size_t ago)
{
	if (ago >= HISTORY_OUTAGES || ago >= history->outages)
		return NULL;
	return &history->past[(history->outages - 1 - ago) % HISTORY_OUTAGES];
}
