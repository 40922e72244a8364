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

/* After our FIN, how long we listen on; at a stop drain_timeout says it. */
#define LINGER_MS 2000
#define DRAINED_LOOK_MS 100

/* Where stall_timeout is 0: even then a connection that is over must come to an end. */
#define FLUSH_MS (2 * 60 * 1000)

static int64_t after(int64_t since, uint64_t timeout)
{
	return timeout > 0 ? since + (int64_t)timeout : INT64_MAX; /* 0: never */
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t deadline(const struct connection *connection)
{
	const struct listener_config *settings = connection->service->settings;

	switch (connection->state) {
	case READING:
		return after(connection->since, settings->idle_timeout);
	case WRITING:
		return after(connection->since, settings->stall_timeout);
	case LINGERING:
		if (connection->ending != TCP_CLOSED_SHUTDOWN)
			return after(connection->since, LINGER_MS);
		break; /* until all is read, or drain_timeout is over */
	case FLUSHING:
		break; /* while there is progress */
	}
	return INT64_MAX;
}

/* When to look whether the client has taken anything of what the kernel holds. */
static int64_t progress_due(const struct connection *connection)
{
	uint64_t timeout = connection->service->settings->stall_timeout;

	if (connection->state == WRITING)
		return INT64_MAX; /* its deadline is stricter */
	if (connection->state == FLUSHING && timeout == 0)
		timeout = FLUSH_MS;
	return after(connection->looked, timeout);
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
 * The mark is how many bytes the client has taken. On a unix stream the kernel does not tell, so
 * there it stands for what was sent and what is left: whatever changes one of them is progress.
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
	if (connection->peer.sa.sa_family == AF_UNIX)
		connection->mark = connection->sent << 32 | unread;
	return connection->mark == before;
}

/*
 * Whether the wheel looks at it before its deadline: a stop waits neither for the FIN of a peer
 * that has acknowledged everything, ours included, nor for one that has fallen silent.
 */
static bool may_be_drained(const struct connection *connection)
{
	if (connection->state == LINGERING)
		return connection->ending == TCP_CLOSED_SHUTDOWN;
	return connection->state == READING && connection->service->loop->streams->draining;
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
	if (deadline(connection) > now)
		return DUE_LATER;
	return connection->state == WRITING ? DUE_STALLED : DUE_OVER;
}

int64_t connection_next_look(const struct connection *connection)
{
	int64_t due = sooner(deadline(connection), progress_due(connection));

	return may_be_drained(connection) ? sooner(due, clock_ms() + DRAINED_LOOK_MS) : due;
}

int64_t connection_first_look(const struct service *service)
{
	int64_t now = clock_ms();

	return sooner(after(now, service->settings->idle_timeout),
		      after(now, service->settings->stall_timeout));
}
