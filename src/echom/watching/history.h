/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The past of one target, for the page: loss and round trips of the last hour by the minute, and
 * the latest outages. A plain value of fixed size.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

#define HISTORY_MINUTES 60
#define HISTORY_OUTAGES 8

struct minute {
	uint32_t received;
	uint32_t lost;
	uint64_t rtt_sum; /* nanoseconds */
};

struct past_outage {
	uint64_t begin; /* on the wall clock, as it was at its end */
	uint64_t duration;
	uint64_t lost;
};

struct history {
	uint64_t minute;			/* number of the latest one, of CLOCK_MONOTONIC */
	struct minute minutes[HISTORY_MINUTES]; /* a ring, by that number */
	uint64_t outages;			/* how many ended; the latest of them are kept */
	struct past_outage past[HISTORY_OUTAGES];
};

void history_received(struct history *history, uint64_t now, uint64_t rtt);
void history_lost(struct history *history, uint64_t now);
void history_outage(struct history *history, const struct past_outage *outage);

/* As it was AGO minutes before NOW, less than HISTORY_MINUTES. */
struct minute history_minute(const struct history *history, uint64_t now, uint64_t ago);

/* The sum of all. */
struct minute history_hour(const struct history *history, uint64_t now);

/* Outage AGO before the latest; NULL: none, or no longer kept. */
const struct past_outage *history_past(const struct history *history, size_t ago);
