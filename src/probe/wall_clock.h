/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The kernel's receive timestamps, which are of the wall clock, on the clock that we measure with.
 */

#ifndef PROBE_WALL_CLOCK_H
#define PROBE_WALL_CLOCK_H

#include "base/clock.h"

/*
 * How far CLOCK_REALTIME is ahead of our clock; only a step of the wall clock changes it. Of a few
 * readings the one that took the least time, since we may lose the processor within one.
 */
static inline uint64_t wall_clock_offset(void)
{
	uint64_t least = UINT64_MAX;
	uint64_t offset = 0;

	for (int i = 0; i < 3 && least > NS_PER_US; i++) {
		uint64_t before = clock_ns();
		uint64_t real = clock_read(CLOCK_REALTIME);
		uint64_t took = clock_ns() - before;

		if (took < least) {
			least = took;
			offset = real - before - took / 2;
		}
	}
	return offset;
}

/*
 * When a packet came, on our clock: STAMP is the kernel's time of its arrival on CLOCK_REALTIME,
 * which was OFFSET ahead. 0 unless that is from FROM to TO: the wall clock was set since.
 */
static inline uint64_t wall_clock_convert(uint64_t stamp, uint64_t offset, uint64_t from,
					  uint64_t to)
{
	uint64_t time = stamp - offset;

	return time >= from && time <= to ? time : 0;
}

#endif
