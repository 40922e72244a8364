/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The life of a link. A lost connection is re-established by several attempts at a time, so that an
 * outage reads as that of the path, without the growing pauses of the kernel between its SYNs. Owns
 * the socket, its two events and the sockets of the attempts; ping and bench call it.
 */

#include "config.h"

#include "base/clock.h"
#include "base/events.h"
#include "probe/link.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define WHY_MAX 80

static void note(const struct link *link, const char *what, int error)
{
	if (link->user->note)
		link->user->note(link->context, what, error);
}

int link_init(struct link *link)
{
	link->fd = -1;
	stream_start(&link->stream, link->flow);
	link->attempts = calloc(link->max_attempts, sizeof(*link->attempts));
	if (!link->attempts)
		return -1;
	for (unsigned i = 0; i < link->max_attempts; i++)
		link->attempts[i] = (struct link_attempt){.link = link, .fd = -1};
	return 0;
}

void link_clear(struct link *link)
{
	if (!link->attempts)
		return;
	link_close(link);
	link_stop_connecting(link);
	free(link->attempts);
	link->attempts = NULL;
}

int link_open(struct link *link, int fd)
{
	link->fd = fd;
	link->heard = false;
	link->was_open = true;
	stream_start(&link->stream, link->flow);
	writer_start(&link->writer, link->flow);
	if (event_assign(&link->readable, link->base, fd, EV_READ | EV_PERSIST,
			 link->user->readable, link->context) == 0 &&
	    event_assign(&link->writable, link->base, fd, EV_WRITE, link->user->writable,
			 link->context) == 0 &&
	    event_add(&link->readable, NULL) == 0)
		return 0;
	link_close(link);
	return -1;
}

void link_close(struct link *link)
{
	if (link->fd < 0)
		return;
	if (event_initialized(&link->readable))
		event_del(&link->readable);
	if (event_initialized(&link->writable))
		event_del(&link->writable);
	if (!link->target->datagram && !link->unread)
		tcp_figures_add(&link->ended, link->fd);
	close(link->fd);
	link->fd = -1;
}

struct tcp_figures link_tcp_figures(const struct link *link)
{
	struct tcp_figures figures = link->ended;

	if (!link->target->datagram && link->fd >= 0)
		tcp_figures_add(&figures, link->fd);
	return figures;
}

static void end_attempt(struct link_attempt *attempt)
{
	free_event(attempt->event);
	if (attempt->fd >= 0)
		close(attempt->fd);
	attempt->event = NULL;
	attempt->fd = -1;
}

void link_stop_connecting(struct link *link)
{
	for (unsigned i = 0; i < link->max_attempts; i++)
		end_attempt(&link->attempts[i]);
}

bool link_is_connecting(const struct link *link)
{
	for (unsigned i = 0; i < link->max_attempts; i++) {
		if (link->attempts[i].fd >= 0)
			return true;
	}
	return false;
}

static void succeed(struct link *link, int fd, uint64_t begun)
{
	bool again = link->was_open;

	link_stop_connecting(link);
	if (link_open(link, fd) < 0) {
		note(link, "cannot connect", ENOMEM);
		return;
	}
	link->flow->books->reconnects += again;
	spread_add(&link->flow->books->connect, clock_ns() - begun);
	note(link, again ? "reconnected" : "connected", 0);
	link->user->reconnected(link->context);
}

/* A probe waits for a connection as long as there is an attempt at one. */
static void fail(struct link *link, int error)
{
	note(link, "cannot connect", error);
	if (!link_is_connecting(link))
		link_lose_waiting(link, "not connected");
}

static void on_result(evutil_socket_t fd, short what UNUSED, void *context)
{
	struct link_attempt *attempt = context;
	struct link *link = attempt->link;
	int error = target_result(link->target, fd);
	uint64_t begun = attempt->begun;

	if (error == 0)
		attempt->fd = -1; /* it is the link's now */
	end_attempt(attempt);
	if (error == 0)
		succeed(link, fd, begun);
	else
		fail(link, error);
}

/* 0, or an errno. */
static int begin(struct link_attempt *attempt, uint64_t now)
{
	struct link *link = attempt->link;

	attempt->fd = target_begin(link->target);
	if (attempt->fd < 0)
		return errno;
	attempt->begun = now;
	attempt->event = event_new(link->base, attempt->fd, EV_WRITE, on_result, attempt);
	if (attempt->event && event_add(attempt->event, NULL) == 0)
		return 0;
	end_attempt(attempt);
	return ENOMEM;
}

static void end_overdue(struct link *link, uint64_t now)
{
	for (unsigned i = 0; i < link->max_attempts; i++) {
		struct link_attempt *attempt = &link->attempts[i];

		if (attempt->fd < 0 || now - attempt->begun < link->patience)
			continue;
		end_attempt(attempt);
		note(link, "cannot connect", ETIMEDOUT);
	}
}

/* Spread over the patience there is room for each: with short intervals not every probe has one. */
static bool is_too_soon(const struct link *link, uint64_t now)
{
	return link_is_connecting(link) &&
	       (link->max_attempts == 1 ||
		now - link->tried < link->patience / (link->max_attempts - 1));
}

void link_connect(struct link *link, uint64_t now)
{
	struct link_attempt *attempt = link->attempts;
	int error;

	end_overdue(link, now);
	if (is_too_soon(link, now))
		return;
	while (attempt->fd >= 0)
		attempt++;
	link->tried = now;
	error = begin(attempt, now);
	if (error != 0)
		fail(link, error);
}

void link_lose_waiting(struct link *link, const char *why)
{
	while (flow_waiting(link->flow) > 0)
		link->user->lost(link->context, flow_oldest(link->flow), why);
}

/* A reply that came in part is none: else a server that closes each connection would look up. */
static void lose_partial(struct link *link)
{
	uint64_t sequence = link->stream.sequence;
	struct finding finding;
	size_t bytes = stream_partial(&link->stream, sequence, &finding);
	char why[WHY_MAX];

	if (bytes == 0 || !flow_awaits(link->flow, sequence))
		return;
	if (finding.verdict == VERDICT_CORRUPT)
		snprintf(why, sizeof(why), "connection lost after %zu byte%s that are no echo",
			 bytes, bytes == 1 ? "" : "s");
	else
		snprintf(why, sizeof(why), "connection lost after %zu of %zu bytes", bytes,
			 link->flow->size);
	link->user->lost(link->context, sequence, why);
}

/* What was in flight is lost with the connection. */
static void end_connection(struct link *link, const char *why)
{
	stream_count_unexpected(&link->stream);
	link_close(link);
	link_lose_waiting(link, why);
	stream_start(&link->stream, link->flow); /* what was unexpected is counted */
}

/* At once if something was received, else at the user's next call: no storm of connects. */
void link_lost(struct link *link, int error, uint64_t now)
{
	note(link, "connection lost", error);
	lose_partial(link);
	end_connection(link, "connection lost");
	if (link->heard && link->wanted)
		link_connect(link, now);
}

/* With a reset: on a dead path the kernel would retransmit for minutes. */
void link_give_up(struct link *link, uint64_t now)
{
	const struct linger at_once = {.l_onoff = 1};

	note(link, "no reply within the timeout: connection given up", 0);
	(void)setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	end_connection(link, "connection given up");
	if (link->wanted)
		link_connect(link, now);
}
