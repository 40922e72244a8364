/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stamp_clock.h. */

#include "config.h"

#include "echod/datagram/modes/stamp_clock.h"

#include <sys/timex.h>

#include "echod/datagram/modes/mode.h"

#define US_PER_S 1000000
#define ASK_EVERY_MS 1000
#define MULTIPLIER_BITS 8

/* Far more than any kernel reports, and it leaves room for rounding up. */
#define MOST_US (UINT64_C(1) << 31)

/* error = multiplier * 2^-32 * 2^scale seconds, rounded up; the multiplier is never 0. */
uint16_t stamp_estimate_of(uint64_t maxerror)
{
	uint64_t error = (maxerror < MOST_US ? maxerror : MOST_US) << 32;
	uint64_t unit = US_PER_S;
	unsigned scale = 0;
	uint64_t multiplier;

	while (error / unit >= UINT64_C(1) << MULTIPLIER_BITS) {
		unit <<= 1;
		scale++;
	}
	multiplier = (error + unit - 1) / unit;
	if (multiplier >> MULTIPLIER_BITS != 0) {
		multiplier >>= 1;
		scale++;
	}
	if (multiplier == 0)
		multiplier = 1;
	return (uint16_t)(STAMP_SYNCHRONISED | scale << MULTIPLIER_BITS | multiplier);
}

/* Where a filter of system calls refuses the question, the clock counts as unsynchronised. */
static uint16_t ask_kernel(void)
{
	struct timex clock = {.modes = 0};

	if (adjtimex(&clock) < 0 || (clock.status & STA_UNSYNC) != 0)
		return STAMP_UNSYNCHRONISED_ESTIMATE;
	return stamp_estimate_of((uint64_t)clock.maxerror);
}

uint16_t stamp_clock_estimate(struct mode_state *state)
{
	int64_t now = clock_ms();

	if (state->estimated_at == 0 || now - state->estimated_at >= ASK_EVERY_MS) {
		state->error_estimate = ask_kernel();
		state->estimated_at = now;
	}
	return state->error_estimate;
}
