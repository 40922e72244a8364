/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See connection.h. */

#include "config.h"

#include "echod/stream/connection.h"

#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/loop.h"
#include "echod/stream/admission.h"
#include "echod/stream/connection_log.h"
#include "echod/stream/streams.h"

/* By tcp_orphan_retries as it is by default. */
#define KERNEL_GIVES_UP_MS 100000

/* Read where the workers share a listening socket. */
static void set_load(struct loop *loop, size_t connections)
{
	atomic_store_explicit(&loop->load, connections, memory_order_relaxed);
}

struct connection *connection_new(struct service *service, int fd, const struct peer *peer,
				  bool is_proxy)
{
	/* Not calloc, which passes by what glibc keeps at hand for each thread. */
	struct connection *connection =
		malloc(sizeof(*connection) + (is_proxy ? sizeof(*peer) : 0));
	struct loop *loop = service->loop;

	if (!connection)
		return NULL;
	*connection = (struct connection){.service = service_join(service), .peer = *peer};
	event_assign(&connection->event, loop->base, fd, 0, NULL, NULL);
	connection->opened = connection->since = connection->looked = clock_ms();
	connection->mark = NOTHING_UNREAD;
	if (is_proxy)
		connection->proxy[0] = *peer;
	set_load(loop, ++loop->streams->connections);
	return connection;
}

/* NULL: it speaks for itself. */
static const struct peer *proxy_of(const struct connection *connection)
{
	return connection->is_proxied ? connection->proxy : NULL;
}

void connection_open(struct connection *connection)
{
	connection->accepted = true;
	connection->opened = connection->since = connection->looked = clock_ms();
	counter_add(&connection->service->loop->counters, TCP_ACCEPTED, 1);
	log_connection_opened(connection->service, &connection->peer, proxy_of(connection));
}

int connection_keep(struct connection *connection, const char *data, size_t size)
{
	connection->rest = malloc(size);
	if (!connection->rest)
		return -1;
	memcpy(connection->rest, data, size);
	connection->rest_at = 0;
	connection->rest_size = (uint32_t)size;
	kept_echo_add(&connection->service->loop->shared->kept, size);
	return 0;
}

void connection_release_rest(struct connection *connection)
{
	if (!connection->rest)
		return;
	free(connection->rest);
	connection->rest = NULL;
	kept_echo_release(&connection->service->loop->shared->kept, connection->rest_size);
}

/*
 * What the kernel still has to deliver, our FIN if nothing else, it would repeat for a minute and a
 * half to a peer that is gone.
 */
static void bound_goodbye(const struct connection *connection)
{
	uint64_t timeout = connection->service->settings->stall_timeout;
	unsigned ms = (unsigned)timeout;

	if (timeout > 0 && timeout < KERNEL_GIVES_UP_MS)
		setsockopt(event_get_fd(&connection->event), SOL_TCP, TCP_USER_TIMEOUT, &ms,
			   sizeof(ms));
}

static void leave(struct connection *connection)
{
	struct service *service = connection->service;
	struct loop *loop = service->loop;

	admission_end(service, &connection->peer, connection->source_counted);
	set_load(loop, --loop->streams->connections);
	wheel_remove(loop->streams->wheel, &connection->item);
	event_del(&connection->event);
	close(event_get_fd(&connection->event));
	connection_release_rest(connection);
	free(connection);
	service_leave(service);
	if (loop->paused_endpoints > 0)
		endpoints_resume(loop);
	if (loop->streams->draining && loop->streams->connections == 0)
		loop_end(loop);
}

static void end(struct connection *connection, enum counter why)
{
	log_connection_closed(connection->service, &connection->peer, proxy_of(connection), why,
			      &(struct connection_record){connection->opened, connection->received,
							  connection->sent});
	counter_add(&connection->service->loop->counters, why, 1);
	leave(connection);
}

/* On a unix stream this changes nothing, and close alone does it there. */
static void have_it_reset(struct connection *connection)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(event_get_fd(&connection->event), SOL_SOCKET, SO_LINGER, &at_once,
		   sizeof(at_once));
}

void connection_close(struct connection *connection, enum counter why)
{
	bound_goodbye(connection);
	end(connection, why);
}

void connection_reset(struct connection *connection, enum counter why)
{
	have_it_reset(connection);
	end(connection, why);
}

void connection_refuse(struct connection *connection, const struct refusal *refusal)
{
	counter_add(&connection->service->loop->counters, refusal->why, 1);
	log_connection_refused(connection->service, &connection->peer, proxy_of(connection),
			       refusal);
	have_it_reset(connection);
	leave(connection);
}
