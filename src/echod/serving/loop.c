/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See loop.h. */

#include "config.h"

#include "echod/serving/loop.h"

#include <event2/event.h>
#include <stdlib.h>
#include <sys/random.h>

#include "echod/datagram/batch.h"
#include "echod/datagram/repeats.h"
#include "echod/datagram/turn.h"
#include "echod/serving/wheel.h"
#include "echod/stream/echo.h"

/*
 * One thread, no locks. Without the epoll changelist: with it the kernel hears of a change only
 * when the loop comes round, too late for us to learn that it refused, or to close a descriptor
 * that another worker shares.
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
	event_assign(&loop->quiet, loop->base, -1, 0, datagram_quiet, loop);
	loop->wheel = wheel_new(loop->base, connection_visit, NULL);
	loop->batch = udp_batch_new();
	loop->repeats = udp_repeats_new();
	loop->buffer = malloc(INPUT_HEADROOM + INPUT_SIZE);
	if (!loop->wheel || !loop->batch || !loop->repeats || !loop->buffer)
		return -1;
	loop->input = loop->buffer + INPUT_HEADROOM;
	loop->piece = INPUT_SIZE;
	/*
	 * Any odd number will do when there is no randomness yet; the limiter's key waits for it.
	 */
	if (getrandom(&loop->random_state, sizeof(loop->random_state), GRND_NONBLOCK) < 0)
		loop->random_state = (uintptr_t)loop;
	loop->random_state |= 1;
	return 0;
}

void loop_stop_endpoints(struct loop *loop)
{
	while (!LIST_EMPTY(&loop->endpoints))
		endpoint_stop(LIST_FIRST(&loop->endpoints));
}

void loop_clear(struct loop *loop)
{
	struct service *service;

	loop_stop_endpoints(loop);
	if (loop->wheel)
		connections_abort(loop);
	while ((service = LIST_FIRST(&loop->services)) != NULL) {
		LIST_REMOVE(service, link);
		service_free(service);
	}
	wheel_free(loop->wheel);
	udp_batch_free(loop->batch);
	udp_repeats_free(loop->repeats);
	free(loop->buffer);
	if (loop->base)
		event_base_free(loop->base);
}
