/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stamp_clock.h. */

#include "config.h"

#include "echod/datagram/modes/stamp_clock.h"

#include "base/clock.h"
#include "base/stamp_format.h"
#include "echod/datagram/modes/mode.h"

#define ASK_EVERY_MS 1000

uint16_t stamp_clock_estimate(struct mode_state *state)
{
	int64_t now = clock_ms();

	if (state->estimated_at == 0 || now - state->estimated_at >= ASK_EVERY_MS) {
		state->error_estimate = stamp_estimate();
		state->estimated_at = now;
	}
	return state->error_estimate;
}
