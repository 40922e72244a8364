/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See connections.h. */

#include "config.h"

#include "echod/stream/connections.h"

#include <stddef.h>
#include <stdlib.h>

#include "echod/serving/loop.h"
#include "echod/stream/connection.h"
#include "echod/stream/connection_time.h"
#include "echod/stream/streams.h"

static struct connection *connection_of(struct wheel_item *item)
{
	return (struct connection *)((char *)item - offsetof(struct connection, item));
}

/* A visit of the wheel: ends the connection if its time is over. */
static int64_t visit(struct wheel_item *item, int64_t now, void *arg UNUSED)
{
	struct connection *connection = connection_of(item);

	switch (connection_due(connection, now)) {
	case DUE_DRAINED:
		connection_close(connection, TCP_CLOSED_SHUTDOWN);
		break;
	case DUE_STALLED:
		connection_reset(connection, TCP_CLOSED_STALL);
		break;
	case DUE_OVER:
		if (connection->stage->expire(connection))
			break;
		return connection_next_look(connection);
	case DUE_LATER:
		return connection_next_look(connection);
	}
	return WHEEL_GONE;
}

static void reschedule(struct wheel_item *item, void *arg)
{
	wheel_move(arg, item, connection_next_look(connection_of(item)));
}

void connections_reschedule(struct loop *loop)
{
	wheel_each(loop->streams->wheel, reschedule, loop->streams->wheel);
}

static void drain(struct wheel_item *item, void *arg UNUSED)
{
	struct connection *connection = connection_of(item);

	if (connection->stage->drain)
		connection->stage->drain(connection);
}

void connections_drain(struct loop *loop)
{
	if (!loop->streams->draining) {
		loop->streams->draining = true;
		wheel_each(loop->streams->wheel, drain, NULL);
	}
	if (loop->streams->connections == 0)
		loop_end(loop);
}

static void end_now(struct wheel_item *item, void *arg UNUSED)
{
	struct connection *connection = connection_of(item);
	bool over = connection->stage->is_over;
	enum counter why = over ? connection->ending : TCP_CLOSED_SHUTDOWN;

	if (connection->stage->abort)
		connection->stage->abort(connection);
	else if (over && connection_unread(connection) == 0)
		connection_close(connection, why);
	else
		connection_reset(connection, why);
}

void connections_abort(struct loop *loop)
{
	wheel_each(loop->streams->wheel, end_now, NULL);
}

int connections_open(struct loop *loop)
{
	struct streams *streams = calloc(1, sizeof(*streams));

	loop->streams = streams;
	if (!streams)
		return -1;
	streams->wheel = wheel_new(loop->base, visit, NULL);
	streams->buffer = malloc(INPUT_HEADROOM + INPUT_SIZE);
	if (!streams->wheel || !streams->buffer)
		return -1;
	streams->input = streams->buffer + INPUT_HEADROOM;
	streams->piece = INPUT_SIZE;
	return 0;
}

void connections_close(struct loop *loop)
{
	struct streams *streams = loop->streams;

	if (!streams)
		return;
	if (streams->wheel)
		wheel_each(streams->wheel, end_now, NULL);
	wheel_free(streams->wheel);
	free(streams->buffer);
	free(streams);
	loop->streams = NULL;
}
