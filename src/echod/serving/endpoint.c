/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See endpoint.h: starting, pausing and stopping, for every protocol. */

#include "config.h"

#include "echod/serving/endpoint.h"

#include <event2/event.h>
#include <stdlib.h>

#include "base/events.h"
#include "daemon/bell.h"
#include "daemon/log.h"
#include "echod/serving/loop.h"
#include "echod/serving/protocol.h"
#include "echod/serving/service.h"

/* When to retry after running out of memory for a socket. */
#define RETRY_MS 500

/* How long a socket is left alone after taking from it has failed. */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 800

struct endpoint *endpoint_new(struct listen_socket *socket, const struct protocol *protocol,
			      struct service *service)
{
	struct endpoint *endpoint = calloc(1, sizeof(*endpoint));

	if (!endpoint)
		return NULL;
	endpoint->socket = listen_socket_hold(socket);
	endpoint->protocol = protocol;
	endpoint->service = service;
	return endpoint;
}

void endpoint_free(struct endpoint *endpoint)
{
	if (!endpoint)
		return;
	listen_socket_release(endpoint->socket);
	free(endpoint);
}

/* Not registered with the loop, yet or any longer: the timer tries again. */
static void wait_ms(struct endpoint *endpoint, int64_t ms)
{
	struct timeval tv = timeval_from_ms((uint64_t)ms);

	/* Out of memory for that, too: the next wake-up from control tries again. */
	(void)event_add(&endpoint->resume, &tv);
}

static void resume(struct endpoint *endpoint)
{
	if (event_add(&endpoint->event, NULL) < 0) {
		wait_ms(endpoint, RETRY_MS);
		return;
	}
	event_del(&endpoint->resume);
	endpoint->paused = false;
	endpoint->service->loop->paused_endpoints--;
}

/* In watcher: a number of a worker, from 1 on. */
#define NOBODY 0

static size_t own_number(const struct endpoint *endpoint)
{
	return endpoint->service->loop->number + 1;
}

/* Whether it is ours to watch the socket, or was nobody's. */
static bool have_watch(struct endpoint *endpoint)
{
	size_t watcher = NOBODY;

	return endpoint->share_step == 0 ||
	       atomic_compare_exchange_strong(&endpoint->socket->watcher, &watcher,
					      own_number(endpoint)) ||
	       watcher == own_number(endpoint);
}

static void on_resume(int fd UNUSED, short what UNUSED, void *arg)
{
	if (have_watch(arg))
		resume(arg);
}

static bool waits_for_the_timer(const struct endpoint *endpoint)
{
	return endpoint->protocol->only_timer_resumes &&
	       event_pending(&endpoint->resume, EV_TIMEOUT, NULL);
}

void endpoints_resume(struct loop *loop)
{
	struct endpoint *endpoint;

	LIST_FOREACH (endpoint, &loop->endpoints, link) {
		if (endpoint->paused && !waits_for_the_timer(endpoint) && have_watch(endpoint))
			resume(endpoint);
	}
}

static void pause_watching(struct endpoint *endpoint)
{
	event_del(&endpoint->event);
	endpoint->paused = true;
	endpoint->service->loop->paused_endpoints++;
}

void endpoint_back_off(struct endpoint *endpoint)
{
	endpoint->pause_ms = endpoint->pause_ms == 0 ? PAUSE_MIN_MS : endpoint->pause_ms * 2;
	if (endpoint->pause_ms > PAUSE_MAX_MS)
		endpoint->pause_ms = PAUSE_MAX_MS;
	pause_watching(endpoint);
	wait_ms(endpoint, endpoint->pause_ms);
	/* What we lack may come free on any loop, which then takes over. */
	atomic_store(&endpoint->socket->watcher, NOBODY);
}

static size_t load_of(const struct loop *loop)
{
	return atomic_load_explicit(&loop->load, memory_order_relaxed);
}

/*
 * The next worker with fewer connections, by more than an eighth: with many it is not worth waking
 * somebody for each. NULL: there is none.
 */
static struct loop *less_loaded(const struct endpoint *endpoint)
{
	const struct loop *own = endpoint->service->loop;
	const struct shared_tables *shared = own->shared;
	size_t most = load_of(own), number = own->number;

	for (;;) {
		size_t load;

		number += endpoint->share_step;
		if (number >= shared->loop_count)
			number = own->number % endpoint->share_step;
		if (number == own->number)
			return NULL;
		load = load_of(shared->loops[number]);
		if (load + load / 8 < most)
			return shared->loops[number];
	}
}

bool endpoint_pass_on(struct endpoint *endpoint)
{
	const struct loop *next = less_loaded(endpoint);

	if (!next)
		return false;
	pause_watching(endpoint);
	atomic_store(&endpoint->socket->watcher, next->number + 1);
	if (bell_ring(next->bell))
		return true;
	atomic_store(&endpoint->socket->watcher, own_number(endpoint));
	resume(endpoint);
	return false;
}

void endpoint_adapt(struct endpoint *endpoint)
{
	if (endpoint->protocol->adapt)
		endpoint->protocol->adapt(endpoint);
}

void endpoint_start(struct endpoint *endpoint, struct loop *loop)
{
	event_assign(&endpoint->event, loop->base, endpoint->socket->fd, EV_READ | EV_PERSIST,
		     endpoint->protocol->ready, endpoint);
	event_assign(&endpoint->resume, loop->base, -1, 0, on_resume, endpoint);
	service_join(endpoint->service);
	LIST_INSERT_HEAD(&loop->endpoints, endpoint, link);
	endpoint_adapt(endpoint);
	endpoint->paused = true;
	loop->paused_endpoints++;
	if (!have_watch(endpoint))
		return;
	resume(endpoint);
	if (endpoint->paused)
		log_error("no memory to serve a socket: trying again");
}

void endpoint_stop(struct endpoint *endpoint)
{
	struct service *service = endpoint->service;

	if (!endpoint->socket->handed)
		endpoint->protocol->rest(endpoint);
	event_del(&endpoint->event);
	event_del(&endpoint->resume);
	if (endpoint->paused)
		service->loop->paused_endpoints--;
	if (endpoint->protocol->end)
		endpoint->protocol->end(endpoint);
	LIST_REMOVE(endpoint, link);
	endpoint_free(endpoint);
	service_leave(service);
}

void endpoints_stop(struct loop *loop)
{
	struct endpoint *next;

	for (struct endpoint *endpoint = LIST_FIRST(&loop->endpoints); endpoint; endpoint = next) {
		next = LIST_NEXT(endpoint, link);
		endpoint_stop(endpoint);
	}
}
