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

#define ACCEPTS_PER_TURN 64

enum accepted { ACCEPT_DONE, ACCEPT_SKIPPED, ACCEPT_QUEUE_EMPTY, ACCEPT_EXHAUSTED };

/* Over a limit or not allowed: closed at once, and counted. */
static void refuse(const struct service *service, int fd, const struct address *peer,
		   enum counter why)
{
	counter_add(&service->loop->counters, why, 1);
	log_connection_refused(service, peer, why);
	close(fd);
}

static enum counter counter_for(enum admission refusal)
{
	switch (refusal) {
	case REFUSED_DENIED:
		return TCP_REJECTED_DENIED;
	case REFUSED_MAX_CLIENTS:
		return TCP_REJECTED_MAX_CLIENTS;
	case REFUSED_PER_IP:
		return TCP_REJECTED_PER_IP;
	default:
		return TCP_ACCEPT_ERRORS;
	}
}

static void admit(struct service *service, int fd, const struct address *peer)
{
	enum admission admission = admit_socket(service, &peer->sa);
	bool counted = false;

	if (admission != ADMITTED) {
		refuse(service, fd, peer, counter_for(admission));
		return;
	}
	admission = admit_source(service, &peer->sa, &counted);
	if (admission == ADMITTED && connection_start(service, fd, peer, counted) == 0)
		return;
	admission_end(service, &peer->sa, counted);
	refuse(service, fd, peer, counter_for(admission));
}

static bool exhausted(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

static enum accepted accept_one(struct endpoint *endpoint)
{
	struct address peer = {.length = sizeof(peer.un)};
	int fd =
		accept4(endpoint->socket->fd, &peer.sa, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		endpoint->pause_ms = 0;
		if (endpoint->early || endpoint->protocol->inherits_nothing)
			socket_options_set_accepted(fd, endpoint->socket->kind);
		admit(endpoint->service, fd, &peer);
		return ACCEPT_DONE;
	}
	if (errno == EAGAIN) {
		endpoint->early = false;
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
