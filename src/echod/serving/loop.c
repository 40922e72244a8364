/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See loop.h. */

#include "config.h"

#include "echod/serving/loop.h"

#include <event2/event.h>
#include <sys/random.h>

#include "base/clock.h"

/*
 * One thread, no locks. No epoll changelist either: it would pass changes to the kernel only at the
 * next turn of the loop, too late to see that one failed, or to close a descriptor that another
 * worker shares.
 */
static struct event_base *new_base(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base;

	if (!config)
		return NULL;
	event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
	base = event_base_new_with_config(config);
	event_config_free(config);
	return base;
}

int loop_init(struct loop *loop, struct shared_tables *shared)
{
	loop->shared = shared;
	loop->base = new_base();
	if (!loop->base)
		return -1;
	/* Without randomness yet any odd number will do; the limiter's key waits for it. */
	if (getrandom(&loop->random_state, sizeof(loop->random_state), GRND_NONBLOCK) < 0)
		loop->random_state = (uintptr_t)loop;
	loop->random_state |= 1;
	return 0;
}

void loop_clear(struct loop *loop)
{
	struct service *service;

	while ((service = LIST_FIRST(&loop->services)) != NULL) {
		LIST_REMOVE(service, link);
		service_free(service);
	}
	if (loop->base)
		event_base_free(loop->base);
}

/* What has come from clients. Timers and questions of control keep no worker awake. */
static uint64_t taken_in(const struct counters *counters)
{
	return counter_read(counters, TCP_ACCEPTED) + counter_read(counters, TCP_MESSAGES) +
	       counter_read(counters, UDP_RECEIVED_DATAGRAMS);
}

/* A look serves timers and control as well. */
static int serve_busily(struct loop *loop)
{
	uint64_t seen = taken_in(&loop->counters), until = 0;
	int result = 0;

	while (!loop->over && loop->busy_poll_ns > 0 && result == 0) {
		int how = clock_ns() < until ? EVLOOP_NONBLOCK : EVLOOP_ONCE;

		result = event_base_loop(loop->base, how | EVLOOP_NO_EXIT_ON_EMPTY);
		if (taken_in(&loop->counters) != seen) {
			seen = taken_in(&loop->counters);
			until = clock_ns() + loop->busy_poll_ns;
		}
	}
	return result;
}

void loop_run(struct loop *loop)
{
	int result = 0;

	while (!loop->over && result == 0)
		result = loop->busy_poll_ns > 0
				 ? serve_busily(loop)
				 : event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_end(struct loop *loop)
{
	loop->over = true;
	event_base_loopbreak(loop->base);
}

void loop_set_busy_poll(struct loop *loop, uint64_t us)
{
	bool changes = (us > 0) != (loop->busy_poll_ns > 0);

	loop->busy_poll_ns = us * NS_PER_US;
	if (changes)
		event_base_loopbreak(loop->base);
}
