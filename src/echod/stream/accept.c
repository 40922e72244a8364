/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See accept.h. Over TCP an accept is one system call: what a connection needs it inherits from
 * its listener.
 */

#include "config.h"

#include "echod/stream/accept.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/loop.h"
#include "echod/serving/protocol.h"
#include "echod/sockets/socket_options.h"
#include "echod/stream/admission.h"
#include "echod/stream/connection_log.h"
#include "echod/stream/echo.h"
#include "echod/stream/peer.h"
#include "echod/stream/proxy.h"

#define ACCEPTS_PER_TURN 64

enum accepted { ACCEPT_DONE, ACCEPT_SKIPPED, ACCEPT_QUEUE_EMPTY, ACCEPT_EXHAUSTED };

/* Over a limit or not allowed: closed at once, and counted. */
static void refuse(const struct service *service, int fd, const struct peer *peer,
		   enum admission admission)
{
	struct refusal refusal = {.why = admission_counter(admission)};

	if (admission == REFUSED_NO_PROXY)
		refusal.detail = "not in proxy_from";
	counter_add(&service->loop->counters, refusal.why, 1);
	log_connection_refused(service, peer, NULL, &refusal);
	close(fd);
}

static void admit(struct service *service, int fd, const struct peer *peer)
{
	bool counted = false;
	enum admission admission = admit_client(service, peer, &counted);

	if (admission == ADMITTED) {
		if (connection_start(service, fd, peer, counted) == 0)
			return;
		admission_end(service, peer, counted);
	}
	refuse(service, fd, peer, admission);
}

static void admit_from_proxy(struct service *service, int fd, const struct peer *proxy)
{
	enum admission admission = admit_proxy(service, proxy);

	if (admission == ADMITTED) {
		if (proxy_start(service, fd, proxy) == 0)
			return;
		admission_end(service, proxy, false);
	}
	refuse(service, fd, proxy, admission);
}

static bool exhausted(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static void take_over(struct service *service, int fd, const struct address *address)
{
	struct peer peer;

	peer_set(&peer, address);
	if (service->settings->proxy_from.count > 0 && !peer.is_unix)
		admit_from_proxy(service, fd, &peer);
	else
		admit(service, fd, &peer);
}

static bool is_early(const struct endpoint *endpoint)
{
	return atomic_load_explicit(&endpoint->socket->early, memory_order_relaxed);
}

static enum accepted accept_one(struct endpoint *endpoint)
{
	struct address address = {.length = sizeof(address.un)};
	int fd = accept4(endpoint->socket->fd, &address.sa, &address.length,
			 SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		endpoint->pause_ms = 0;
		if (is_early(endpoint) || endpoint->protocol->inherits_nothing)
			socket_options_set_accepted(fd, endpoint->socket->kind);
		take_over(endpoint->service, fd, &address);
		return ACCEPT_DONE;
	}
	if (errno == EAGAIN) {
		if (is_early(endpoint))
			atomic_store(&endpoint->socket->early, false);
		return ACCEPT_QUEUE_EMPTY;
	}
	counter_add(&endpoint->service->loop->counters, TCP_ACCEPT_ERRORS, 1);
	/* Of other errors that connection is gone already, and the next one may not be. */
	return exhausted(errno) ? ACCEPT_EXHAUSTED : ACCEPT_SKIPPED;
}

/* Leaves the queue alone for a while: trying at once would only fail again, and again. */
static void pause_accepting(struct endpoint *endpoint, int error)
{
	struct shared_tables *shared = endpoint->service->loop->shared;
	unsigned suppressed;

	if (endpoint->pause_ms == 0 &&
	    log_throttle_pass(&shared->exhaustion_lines, clock_ms(), &suppressed))
		log_warning("cannot accept connections: %s; trying again %s", strerror(error),
			    exhausted(error) ? "as descriptors and memory come free (LimitNOFILE= "
					       "sets how many descriptors there are)"
					     : "from time to time (a security policy of this host "
					       "may forbid it)");
	endpoint_back_off(endpoint);
}

void stream_accept_ready(int fd UNUSED, short what UNUSED, void *arg)
{
	struct endpoint *endpoint = arg;
	int skipped = 0;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		switch (accept_one(endpoint)) {
		case ACCEPT_QUEUE_EMPTY:
			return;
		case ACCEPT_EXHAUSTED:
			pause_accepting(endpoint, errno);
			return;
		case ACCEPT_SKIPPED:
			skipped++;
			break;
		case ACCEPT_DONE:
			if (endpoint->share_step > 0 && endpoint_pass_on(endpoint))
				return;
			break;
		}
	}
	if (skipped == ACCEPTS_PER_TURN) /* that was always the same one, and it stays */
		pause_accepting(endpoint, errno);
}

void stream_accept_rest(struct endpoint *endpoint)
{
	enum accepted result;

	for (int i = 0; i < SOMAXCONN; i++) {
		result = accept_one(endpoint);
		if (result == ACCEPT_QUEUE_EMPTY || result == ACCEPT_EXHAUSTED)
			return;
	}
}
