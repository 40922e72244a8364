/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Preloaded into a program with an event loop: its clocks run FAST_CLOCK times as fast, and so do
 * the times it waits. The kernel's own stamps of packets stay behind, and are ignored by it.
 */

#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define S INT64_C(1000000000)
#define CLOCKS 12 /* their numbers are small */

static int64_t factor = 1;
static int64_t began[CLOCKS];

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * S + time->tv_nsec;
}

static struct timespec time_of(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / S, .tv_nsec = ns % S};
}

static int read_clock(clockid_t clock, struct timespec *time)
{
	return (int)syscall(SYS_clock_gettime, clock, time);
}

/* The coarse clocks are those of the fine ones. */
static clockid_t fine(clockid_t clock)
{
	return clock == CLOCK_MONOTONIC_COARSE	? CLOCK_MONOTONIC
	       : clock == CLOCK_REALTIME_COARSE ? CLOCK_REALTIME
						: clock;
}

__attribute__((constructor)) static void begin(void)
{
	const char *text = getenv("FAST_CLOCK");

	factor = text ? atoll(text) : 1;
	for (clockid_t clock = 0; clock < CLOCKS; clock++) {
		struct timespec now;

		if (read_clock(clock, &now) == 0)
			began[clock] = ns_of(&now);
	}
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
	int result = read_clock(fine(clock), time);

	clock = fine(clock);
	if (result == 0 && (clock == CLOCK_MONOTONIC || clock == CLOCK_REALTIME))
		*time = time_of(began[clock] + (ns_of(time) - began[clock]) * factor);
	return result;
}

/* A wait of nothing stays one, and any other never becomes one. */
static struct timespec shorter(const struct timespec *time)
{
	int64_t ns = ns_of(time);

	return time_of(ns > 0 && ns < factor ? 1 : ns / factor);
}

int nanosleep(const struct timespec *time, struct timespec *left)
{
	const struct timespec wait = shorter(time);

	return (int)syscall(SYS_nanosleep, &wait, left);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *value, struct itimerspec *old)
{
	const struct itimerspec wait = {shorter(&value->it_interval), shorter(&value->it_value)};

	return (int)syscall(SYS_timerfd_settime, fd, flags, &wait, old);
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout)
{
	const struct timespec asked = time_of(timeout * (S / 1000)), wait = shorter(&asked);

	return (int)syscall(SYS_epoll_pwait2, fd, events, count, timeout < 0 ? NULL : &wait, NULL,
			    (size_t)8);
}
