/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * When messages are due: number N of a run at RATE a second is due N / RATE seconds after the
 * start, to the nanosecond and without an error that grows. Plain arithmetic, no state.
 */

#pragma once

#include <stdint.h>

/* Flow INDEX of COUNT sends every COUNT-th message of the run. */
struct schedule {
	uint64_t start; /* nanoseconds of CLOCK_MONOTONIC */
	uint64_t end;	/* nothing is due from then on */
	uint64_t rate;	/* messages per second of all flows together */
	uint64_t index;
	uint64_t count;
};

/* When the flow's own message NUMBER (from 0) is due. */
uint64_t schedule_due(const struct schedule *schedule, uint64_t number);

/* How many of the flow's messages are due at NOW. */
uint64_t schedule_count(const struct schedule *schedule, uint64_t now);
