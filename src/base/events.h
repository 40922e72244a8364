/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What libevent leaves to its callers: time spans as it takes them, loops for one thread, events
 * that may not exist.
 */

#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
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

/* The timer expires when clock_ns() is DUE, or at once. -1 without memory: only the first time. */
static inline int events_arm(struct event *timer, uint64_t due)
{
	uint64_t now = clock_ns();
	struct timeval wait =
		timeval_from_us(due > now ? (due - now + NS_PER_US - 1) / NS_PER_US : 0);

	return event_add(timer, &wait);
}

/* A loop for one thread, with FLAGS beside that. NULL without memory. */
static inline struct event_base *events_new_base(int flags)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | flags);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

/*
 * Runs BASE until a callback breaks out of it. BUSY: looks again and again without ever sleeping,
 * so that nothing waits for a wake-up of this thread. -1 if it cannot wait for events.
 */
static inline int events_run(struct event_base *base, bool busy)
{
	int flags = busy ? EVLOOP_NONBLOCK : 0;
	int result;

	while ((result = event_base_loop(base, flags)) == 0 && busy && !event_base_got_break(base))
		;
	return result;
}

/* Accepts NULL. */
static inline void free_event(struct event *event)
{
	if (event)
		event_free(event);
}
