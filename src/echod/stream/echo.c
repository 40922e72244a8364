/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See echo.h. The path of a message: on_readable, one recv, one send, back to the loop. */

#include "config.h"

#include "echod/stream/echo.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#include "base/clock.h"
#include "echod/serving/loop.h"
#include "echod/stream/connection.h"
#include "echod/stream/connection_time.h"
#include "echod/stream/ending.h"
#include "echod/stream/stream_io.h"
#include "echod/stream/streams.h"

/* A client that takes this much within stall_timeout reads, however slowly. */
#define STEADY_BYTES (64 * 1024)

/*
 * Fairness: to read and echo INPUT_SIZE takes a good tenth of a millisecond, for which the worker's
 * other clients wait. While any of them exchanges small messages, a read takes SHARED_SIZE at most.
 * Two small reads in a row identify such a client; a single one may be the tail of a large message.
 */
#define SMALL_MESSAGE (16 * 1024)
#define SMALL_LATELY_MS 1000

/* It has had its one reply; a greeting is none. */
static inline bool is_done(const struct connection *connection)
{
	return connection->service->settings->reply_once && connection->received > 0;
}

/* The client has everything at once. Decides whether that was the last of it. */
static inline void replied(struct connection *connection, const struct streams *streams)
{
	if (is_done(connection))
		connection_finish(connection, TCP_CLOSED_REPLIED);
	else if (streams->draining && connection_nothing_received(connection))
		connection_finish(connection, TCP_CLOSED_SHUTDOWN);
}

/* The same after it was held up: there is more to come now that there is room for it. */
static void caught_up(struct connection *connection)
{
	connection_release_rest(connection);
	if (is_done(connection))
		connection_finish(connection, TCP_CLOSED_REPLIED);
	else if (connection_enter(connection, &stage_reading) < 0)
		connection_close(connection, TCP_CLOSED_ERROR);
}

/* Sends what fits; how much that was, or -1 when the connection is broken. */
static inline ssize_t send_some(struct connection *connection, int fd, const char *data,
				size_t size)
{
	ssize_t sent = stream_send(fd, data, size);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	connection->sent += (uint64_t)sent;
	counter_add(&connection->service->loop->counters, TCP_SENT_BYTES, (uint64_t)sent);
	return sent;
}

/* Keeps what the client did not take, and waits for it to read. */
static int keep_rest(struct connection *connection, const char *data, size_t size)
{
	return connection_keep(connection, data, size) < 0
		       ? -1
		       : connection_enter(connection, &stage_writing);
}

static inline void reply(struct connection *connection, const struct streams *streams, int fd,
			 const char *data, size_t size)
{
	ssize_t sent = send_some(connection, fd, data, size);

	if (sent == (ssize_t)size)
		replied(connection, streams);
	else if (sent < 0 || keep_rest(connection, data + sent, size - (size_t)sent) < 0)
		connection_reset(connection, TCP_CLOSED_ERROR);
}

/* Decides how much the next reads take. Only a large one looks for the end of it. */
static inline void note_size(struct streams *streams, struct connection *connection, ssize_t size,
			     int64_t now)
{
	if (size > SMALL_MESSAGE) {
		connection->small = false;
		if (now - streams->small_messages >= SMALL_LATELY_MS)
			streams->piece = INPUT_SIZE;
	} else if (connection->small) {
		streams->small_messages = now;
		streams->piece = SHARED_SIZE;
	} else {
		connection->small = true;
	}
}

static INLINED void note_received(struct connection *connection, struct loop *loop,
				  struct streams *streams, size_t size)
{
	int64_t now = clock_ms();

	connection->since = now;
	connection->received += (uint64_t)size;
	note_size(streams, connection, (ssize_t)size, now);
	counter_add(&loop->counters, TCP_RECEIVED_BYTES, (uint64_t)size);
	counter_add(&loop->counters, TCP_MESSAGES, 1);
}

/* There is room for it: INPUT_HEADROOM. Returns where it begins. */
static INLINED char *put_before(char *data, const struct text *text)
{
	if (text->length > 0)
		memcpy(data - text->length, text->bytes, text->length);
	return data - text->length;
}

static void on_readable(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;
	struct loop *loop = connection->service->loop;
	const struct text *prefix = &connection->service->settings->prefix;
	struct streams *streams = loop->streams;
	char *input = streams->input;
	size_t most = kept_echo_piece(&loop->shared->kept, streams->piece);
	ssize_t size = stream_receive(fd, input, most);

	if (size == 0) {
		(void)connection_conclude(connection, TCP_CLOSED_CLIENT);
		return;
	}
	if (size < 0) {
		if (errno != EAGAIN && errno != EINTR)
			connection_close(connection, TCP_CLOSED_ERROR);
		return;
	}
	note_received(connection, loop, streams, (size_t)size);
	reply(connection, streams, fd, put_before(input, prefix), (size_t)size + prefix->length);
}

static void on_writable(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;
	size_t left = connection->rest_size - connection->rest_at;
	uint32_t steps = connection->rest_at / STEADY_BYTES;
	ssize_t sent = send_some(connection, fd, connection->rest + connection->rest_at, left);

	if (sent < 0) {
		connection_reset(connection, TCP_CLOSED_ERROR);
		return;
	}
	connection->rest_at += (uint32_t)sent;
	if (connection->rest_at < connection->rest_size) {
		if (connection->rest_at / STEADY_BYTES > steps)
			connection->since = clock_ms();
		return;
	}
	caught_up(connection);
}

static int64_t idle_deadline(const struct connection *connection)
{
	return deadline_after(connection->since, connection->service->settings->idle_timeout);
}

static bool end_idle(struct connection *connection)
{
	return connection_conclude(connection, TCP_CLOSED_IDLE);
}

static void drain_reading(struct connection *connection)
{
	if (!connection_nothing_received(connection))
		return;
	if (connection_unread(connection) == 0)
		connection_close(connection, TCP_CLOSED_SHUTDOWN);
	else
		connection_finish(connection, TCP_CLOSED_SHUTDOWN);
}

/* A stop does not wait for a client that has stopped sending. */
static bool is_stopping(const struct connection *connection)
{
	return connection->service->loop->streams->draining;
}

const struct stage stage_reading = {
	.events = EV_READ | EV_PERSIST,
	.ready = on_readable,
	.deadline = idle_deadline,
	.expire = end_idle,
	.drain = drain_reading,
	.may_drain = is_stopping,
};

static int64_t stall_deadline(const struct connection *connection)
{
	return deadline_after(connection->since, connection->service->settings->stall_timeout);
}

static bool end_stalled(struct connection *connection)
{
	connection_reset(connection, TCP_CLOSED_STALL);
	return true;
}

const struct stage stage_writing = {
	.events = EV_WRITE | EV_PERSIST,
	.ready = on_writable,
	.deadline = stall_deadline,
	.expire = end_stalled,
	.is_strict = true,
};

/* All leaves in one call, so that nothing has to wait behind a greeting that did not fit. */
void connection_begin(struct connection *connection, char *data, size_t size)
{
	const struct listener_config *settings = connection->service->settings;
	struct loop *loop = connection->service->loop;
	char *start = data, *end = data + size;

	connection_open(connection);
	if (connection_enter(connection, &stage_reading) < 0) {
		connection_reset(connection, TCP_CLOSED_ERROR);
		return;
	}
	if (size > 0) {
		note_received(connection, loop, loop->streams, size);
		start = put_before(start, &settings->prefix);
	}
	start = put_before(start, &settings->greeting);
	if (start < end)
		reply(connection, loop->streams, event_get_fd(&connection->event), start,
		      (size_t)(end - start));
}

int connection_start(struct service *service, int fd, const struct peer *peer, bool source_counted)
{
	struct connection *connection = connection_new(service, fd, peer, false);

	if (!connection)
		return -1;
	connection->source_counted = source_counted;
	connection_begin(connection, service->loop->streams->input, 0);
	return 0;
}
