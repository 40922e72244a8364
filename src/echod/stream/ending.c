/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See ending.h. */

#include "config.h"

#include "echod/stream/ending.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "echod/serving/loop.h"
#include "echod/stream/connection_time.h"
#include "echod/stream/stream_io.h"
#include "echod/stream/streams.h"

/* How much we discard after our FIN: a reset would discard what the peer has not read. */
#define LINGER_BYTES (16 * 1024 * 1024)

/* How long to read on after our FIN; at a stop drain_timeout decides. */
#define LINGER_MS 2000

/* Where stall_timeout is 0: even then a connection that is over must come to an end. */
#define FLUSH_MS (2 * 60 * 1000)

void connection_finish(struct connection *connection, enum counter why)
{
	connection->ending = why;
	if (shutdown(event_get_fd(&connection->event), SHUT_WR) < 0 ||
	    connection_enter(connection, &stage_lingering) < 0)
		connection_close(connection, why);
}

bool connection_conclude(struct connection *connection, enum counter why)
{
	int fd = event_get_fd(&connection->event);

	connection->ending = why;
	if (connection_unread(connection) > 0 &&
	    (connection->stage == &stage_lingering || shutdown(fd, SHUT_WR) == 0)) {
		(void)connection_no_progress(connection, clock_ms());
		if (connection_enter(connection, &stage_flushing) == 0)
			return false;
	}
	connection_close(connection, why);
	return true;
}

static void on_lingering(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;
	struct loop *loop = connection->service->loop;
	ssize_t size = stream_receive(fd, loop->streams->input, INPUT_SIZE);

	if (size > 0) {
		connection->received += (uint64_t)size;
		connection->lingered += (uint32_t)size;
		counter_add(&loop->counters, TCP_RECEIVED_BYTES, (uint64_t)size);
		if (connection->lingered < LINGER_BYTES)
			return;
	} else if (size < 0) {
		if (errno != EAGAIN && errno != EINTR)
			connection_close(connection, connection->ending);
		return;
	}
	(void)connection_conclude(connection, connection->ending);
}

/* At a stop it listens until all is read, or drain_timeout is over. */
static int64_t lingering_deadline(const struct connection *connection)
{
	if (connection->ending == TCP_CLOSED_SHUTDOWN)
		return INT64_MAX;
	return deadline_after(connection->since, LINGER_MS);
}

static bool end_lingering(struct connection *connection)
{
	return connection_conclude(connection, connection->ending);
}

/* A stop does not wait for the FIN of a peer that has acknowledged everything, ours included. */
static bool lingers_for_a_stop(const struct connection *connection)
{
	return connection->ending == TCP_CLOSED_SHUTDOWN;
}

const struct stage stage_lingering = {
	.events = EV_READ | EV_PERSIST,
	.ready = on_lingering,
	.deadline = lingering_deadline,
	.expire = end_lingering,
	.may_drain = lingers_for_a_stop,
	.is_over = true,
};

/* A reset leaves the queue as it was, so it must be asked for. */
static bool broken(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 || error != 0;
}

static void on_flushing(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;

	if (connection_unread(connection) == 0 || broken(fd))
		connection_close(connection, connection->ending);
}

/* While there is progress it may last. */
static int64_t never(const struct connection *connection UNUSED)
{
	return INT64_MAX;
}

const struct stage stage_flushing = {
	/* Ready all the time; what an edge shows is that the kernel holds less. */
	.events = EV_WRITE | EV_PERSIST | EV_ET,
	.ready = on_flushing,
	.deadline = never,
	.stall_timeout = FLUSH_MS,
	.is_over = true,
};
