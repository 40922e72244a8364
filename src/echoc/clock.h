/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Time, for everything that is measured: nanoseconds of CLOCK_MONOTONIC, which a jump of the wall
 * clock does not move. Read without a system call.
 */

#ifndef ECHOC_CLOCK_H
#define ECHOC_CLOCK_H

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
 * When a packet came, on our clock: STAMP is the kernel's time of its arrival on CLOCK_REALTIME.
 * The two clocks are read now. 0 when the wait so found is not between 0 and 1 s, and the stamp of
 * no use: the wall clock was set in between.
 */
static inline uint64_t clock_from_stamp(uint64_t stamp, uint64_t real_now, uint64_t now)
{
	if (stamp > real_now || real_now - stamp > NS_PER_S)
		return 0;
	return now - (real_now - stamp);
}

#endif
