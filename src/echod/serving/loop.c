/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See loop.h. */

#include "config.h"

#include "echod/serving/loop.h"

#include <event2/event.h>
#include <sys/random.h>

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
