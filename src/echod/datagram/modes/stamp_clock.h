/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The clock as STAMP packets have it: times in NTP's format, and how far they may be from the
 * truth. Owns nothing; what was asked last is kept by the worker.
 */

#pragma once

#include <stdint.h>
#include <time.h>

#include "base/clock.h"

struct mode_state;

/* RFC 8762's error estimate: S (synchronised), Z, scale, multiplier, from the highest bit on. */
#define STAMP_SYNCHRONISED 0x8000
#define STAMP_UNSYNCHRONISED_ESTIMATE 0x0001

/* Asks the kernel, at most once a second. */
uint16_t stamp_clock_estimate(struct mode_state *state);

/* The estimate for a clock that is at most MAXERROR microseconds off. */
uint16_t stamp_estimate_of(uint64_t maxerror);

/* CLOCK_REALTIME, nanoseconds since 1970, as seconds since 1900 and a fraction, 32 bits each. */
static inline uint64_t stamp_time_of(uint64_t realtime)
{
	uint64_t seconds = realtime / NS_PER_S + UINT64_C(2208988800);

	return seconds << 32 | (realtime % NS_PER_S << 32) / NS_PER_S;
}
