/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The clocks of the kernel, for programs that define clock_gettime themselves. */

#pragma once

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* On 32 bits the kernel has two calls, and the C library chooses one of them at compile time. */
#ifdef SYS_clock_gettime64
#define KERNEL_CLOCK (sizeof(time_t) > sizeof(long) ? SYS_clock_gettime64 : SYS_clock_gettime)
#else
#define KERNEL_CLOCK SYS_clock_gettime
#endif

static inline int kernel_clock(clockid_t clock, struct timespec *now)
{
	/* Six arguments, because that of faults.c hands on six. */
	return (int)syscall(KERNEL_CLOCK, (long)clock, now, 0L, 0L, 0L, 0L);
}
