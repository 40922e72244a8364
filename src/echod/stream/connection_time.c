/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See connection_time.h. */

#include "config.h"

#include "echod/stream/connection_time.h"

#include <event2/event.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "base/clock.h"
#include "echod/serving/loop.h"
#include "echod/stream/connection.h"
#include "echod/stream/streams.h"

#define DRAINED_LOOK_MS 100

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* When to look whether the client has taken anything of what the kernel holds. */
static int64_t progress_due(const struct connection *connection)
{
	const struct stage *stage = connection->stage;
	uint64_t timeout = connection->service->settings->stall_timeout;

	if (stage->is_strict)
		return INT64_MAX;
	return deadline_after(connection->looked, timeout > 0 ? timeout : stage->stall_timeout);
}

bool connection_nothing_received(const struct connection *connection)
{
	int waiting = 0;

	return ioctl(event_get_fd(&connection->event), SIOCINQ, &waiting) < 0 || waiting == 0;
}

uint32_t connection_unread(const struct connection *connection)
{
	int unread = 0;

	return ioctl(event_get_fd(&connection->event), SIOCOUTQ, &unread) < 0 ? 0
									      : (uint32_t)unread;
}

/*
 * The mark is how many bytes the client has taken. The kernel does not report that for a unix
 * stream, so there it combines what was sent and what is left: a change of either is progress.
 */
bool connection_no_progress(struct connection *connection, int64_t now)
{
	uint64_t before = connection->mark;
	uint32_t unread = connection_unread(connection);

	connection->looked = now;
	connection->mark = NOTHING_UNREAD;
	if (unread == 0)
		return false;
	connection->mark = connection->sent - unread;
	if (connection->peer.is_unix)
		connection->mark = connection->sent << 32 | unread;
	return connection->mark == before;
}

/* Whether the wheel looks at it before its deadline. */
static bool may_be_drained(const struct connection *connection)
{
	return connection->stage->may_drain && connection->stage->may_drain(connection);
}

static bool drained(const struct connection *connection, int64_t now)
{
	return may_be_drained(connection) && now - connection->since >= DRAINED_LOOK_MS &&
	       connection_nothing_received(connection) && connection_unread(connection) == 0;
}

enum connection_due connection_due(struct connection *connection, int64_t now)
{
	if (drained(connection, now))
		return DUE_DRAINED;
	if (progress_due(connection) <= now && connection_no_progress(connection, now))
		return DUE_STALLED;
	return connection->stage->deadline(connection) > now ? DUE_LATER : DUE_OVER;
}

int64_t connection_next_look(const struct connection *connection)
{
	int64_t due = sooner(connection->stage->deadline(connection), progress_due(connection));

	return may_be_drained(connection) ? sooner(due, clock_ms() + DRAINED_LOOK_MS) : due;
}

/* The one callback of a connection, so that most changes of its stage leave the event alone. */
static void on_event(int fd, short what, void *arg)
{
	const struct connection *connection = arg;

	connection->stage->ready(fd, what, arg);
}

int connection_enter(struct connection *connection, const struct stage *stage)
{
	struct loop *loop = connection->service->loop;
	struct event *event = &connection->event;
	bool is_first = !connection->stage;
	bool same_events = !is_first && connection->stage->events == stage->events;

	if (!same_events) {
		event_del(event);
		event_assign(event, loop->base, event_get_fd(event), stage->events, on_event,
			     connection);
	}
	connection->stage = stage;
	connection->since = clock_ms();
	if (is_first)
		wheel_add(loop->streams->wheel, &connection->item,
			  connection_next_look(connection));
	else
		wheel_move(loop->streams->wheel, &connection->item,
			   connection_next_look(connection));
	return same_events ? 0 : event_add(event, NULL);
}
