/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Time, for everything that is measured: nanoseconds of CLOCK_MONOTONIC, which a jump of the wall
 * clock does not move. Read without a system call.
 */

#ifndef PROBE_CLOCK_H
#define PROBE_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_US UINT64_C(1000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

static inline uint64_t clock_read(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static inline uint64_t clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

/*
 * How far CLOCK_REALTIME is ahead of our clock; only a step of the wall clock changes it. Of a few
 * readings the one that took the least time, since we may lose the processor within one.
 */
static inline uint64_t clock_offset(void)
{
	uint64_t least = UINT64_MAX;
	uint64_t offset = 0;

	for (int i = 0; i < 3 && least > NS_PER_US; i++) {
		uint64_t before = clock_now();
		uint64_t real = clock_read(CLOCK_REALTIME);
		uint64_t took = clock_now() - before;

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
static inline uint64_t clock_from_stamp(uint64_t stamp, uint64_t offset, uint64_t from, uint64_t to)
{
	uint64_t time = stamp - offset;

	return time >= from && time <= to ? time : 0;
}

#endif
