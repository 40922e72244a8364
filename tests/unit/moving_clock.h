/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Clocks for what works in slices of time: the monotonic one goes on by a step each time that it is
 * read, beside what passes, and the wall clock shows what it was set to. Defines clock_gettime for
 * the whole program, so that one file of it includes this.
 */

#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "unit/kernel_clock.h"

static _Atomic int64_t clock_step_ms; /* 0: as the kernel's */
static _Atomic int64_t clock_moved_ms;
static _Atomic int64_t clock_wall; /* seconds; 0: as the kernel's */

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = kernel_clock(clock, now);

	if (clock == CLOCK_MONOTONIC) {
		int64_t step = atomic_load(&clock_step_ms);
		int64_t moved = atomic_fetch_add(&clock_moved_ms, step) + step;

		now->tv_sec += (time_t)(moved / 1000);
		now->tv_nsec += (long)(moved % 1000 * 1000000);
		now->tv_sec += now->tv_nsec / 1000000000;
		now->tv_nsec %= 1000000000;
	} else if (clock == CLOCK_REALTIME && clock_wall != 0) {
		*now = (struct timespec){.tv_sec = (time_t)clock_wall};
	}
	return result;
}
