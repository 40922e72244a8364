/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What libevent leaves to its callers: time spans as it takes them, events that may not exist. */

#ifndef BASE_EVENTS_H
#define BASE_EVENTS_H

#include <event2/event.h>
#include <stdint.h>
#include <sys/time.h>

#include "base/clock.h"

static inline struct timeval timeval_from_us(uint64_t us)
{
	return (struct timeval){(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};
}

static inline struct timeval timeval_from_ms(uint64_t ms)
{
	return (struct timeval){(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
}

/* From now until clock_ns() is DUE, rounded up. */
static inline struct timeval timeval_until(uint64_t due)
{
	uint64_t now = clock_ns();

	return timeval_from_us(due > now ? (due - now + NS_PER_US - 1) / NS_PER_US : 0);
}

/* Accepts NULL. */
static inline void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

#endif
