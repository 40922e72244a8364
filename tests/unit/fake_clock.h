/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The coarse clock, from which the daemon and libevent take deadlines, in the hands of the test: it
 * stops until the test moves it. Defines clock_gettime for the whole program, so that one
 * file of it includes this; every other clock is the kernel's.
 */

#pragma once

#include <stdint.h>

#include "unit/kernel_clock.h"

static int64_t fake_ms = 123456789;

int clock_gettime(clockid_t clock, struct timespec *now)
{
	if (clock != CLOCK_MONOTONIC_COARSE)
		return kernel_clock(clock, now);
	now->tv_sec = (time_t)(fake_ms / 1000);
	now->tv_nsec = (long)(fake_ms % 1000 * 1000000);
	return 0;
}
