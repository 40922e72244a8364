/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See echo.h. The path of a message: on_readable, one recv, one send, back to the loop. */

#include "config.h"

#include "echod/stream/echo.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "echod/serving/loop.h"
#include "echod/stream/connection.h"
#include "echod/stream/connection_time.h"
#include "echod/stream/streams.h"

/* How much we throw away after our FIN: a reset would discard what the peer has not read. */
#define LINGER_BYTES (16 * 1024 * 1024)

/* A client that takes this much within stall_timeout reads, however slowly. */
#define STEADY_BYTES (64 * 1024)

/*
 * Fairness: to read and echo INPUT_SIZE takes a good tenth of a millisecond, for which the worker's
 * other clients wait. While any of them exchanges small messages, a read takes SHARED_SIZE at most.
 * Two small reads in a row tell such a client; a single one may be the tail of a large message.
 */
#define SMALL_MESSAGE (16 * 1024)
#define SMALL_LATELY_MS 1000

static void on_readable(int fd, short what, void *arg);
static void on_writable(int fd, short what, void *arg);
static void on_lingering(int fd, short what, void *arg);
static void on_flushing(int fd, short what, void *arg);

/*
 * recv(2) and send(2) by number. glibc's are cancellation points, and in a process with threads
 * that bookkeeping costs more instructions than the rest of the call; nobody cancels a thread here.
 */
static ssize_t receive(int fd, char *data, size_t size)
{
	return syscall(SYS_recvfrom, fd, data, size, 0, NULL, NULL);
}

static ssize_t transmit(int fd, const char *data, size_t size)
{
	return syscall(SYS_sendto, fd, data, size, MSG_NOSIGNAL, NULL, 0);
}

/* The one place that changes what a connection waits for. */
static int wait_for(struct connection *connection, enum connection_state state)
{
	static const struct {
		short events;
		event_callback_fn callback;
	} waits[] = {
		[READING] = {EV_READ | EV_PERSIST, on_readable},
		[WRITING] = {EV_WRITE | EV_PERSIST, on_writable},
		[LINGERING] = {EV_READ | EV_PERSIST, on_lingering},
		/* Ready all the time; what it tells by an edge is that the kernel holds less. */
		[FLUSHING] = {EV_WRITE | EV_PERSIST | EV_ET, on_flushing},
	};
	struct loop *loop = connection->service->loop;
	struct event *event = &connection->event;

	event_del(event);
	event_assign(event, loop->base, event_get_fd(event), waits[state].events,
		     waits[state].callback, connection);
	connection->state = state;
	connection->since = clock_ms();
	wheel_move(loop->streams->wheel, &connection->item, connection_next_look(connection));
	return event_add(event, NULL);
}

/* Ends a connection from our side while the peer may still be sending. */
static void finish(struct connection *connection, enum counter why)
{
	connection->ending = why;
	if (shutdown(event_get_fd(&connection->event), SHUT_WR) < 0 ||
	    wait_for(connection, LINGERING) < 0)
		connection_close(connection, why);
}

/*
 * Nothing more is to be read or sent. Ends it at once if the peer has taken everything, and else
 * when it has: what the kernel holds for it must count as a client. Whether it has ended.
 */
static bool conclude(struct connection *connection, enum counter why)
{
	int fd = event_get_fd(&connection->event);

	connection->ending = why;
	if (connection_unread(connection) > 0 &&
	    (connection->state == LINGERING || shutdown(fd, SHUT_WR) == 0)) {
		(void)connection_no_progress(connection, clock_ms());
		if (wait_for(connection, FLUSHING) == 0)
			return false;
	}
	connection_close(connection, why);
	return true;
}

/* Nothing is kept any more. Decides whether that was the last of it. */
static inline void all_sent(struct connection *connection)
{
	struct service *service = connection->service;

	if (service->settings->reply_once && connection->received > 0) {
		finish(connection, TCP_CLOSED_REPLIED);
		return;
	}
	/* Where the peer was held up, there is more to come now that there is room for it. */
	if (service->loop->streams->draining && connection->state == READING &&
	    connection_nothing_received(connection)) {
		finish(connection, TCP_CLOSED_SHUTDOWN);
		return;
	}
	if (connection->state == WRITING && wait_for(connection, READING) < 0)
		connection_close(connection, TCP_CLOSED_ERROR);
}

/* Sends what fits; how much that was, or -1 when the connection is broken. */
static inline ssize_t send_some(struct connection *connection, int fd, const char *data,
				size_t size)
{
	ssize_t sent = transmit(fd, data, size);

	if (sent < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	connection->sent += (uint64_t)sent;
	counter_add(&connection->service->loop->counters, TCP_SENT_BYTES, (uint64_t)sent);
	return sent;
}

/* Keeps what the client did not take, and waits for it to read. */
static int keep_rest(struct connection *connection, const char *data, size_t size)
{
	return connection_keep(connection, data, size) < 0 ? -1 : wait_for(connection, WRITING);
}

static inline void reply(struct connection *connection, int fd, const char *data, size_t size)
{
	ssize_t sent = send_some(connection, fd, data, size);

	if (sent == (ssize_t)size)
		all_sent(connection);
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

static void on_readable(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;
	struct loop *loop = connection->service->loop;
	const struct text *prefix = &connection->service->settings->prefix;
	char *input = loop->streams->input;
	ssize_t size =
		receive(fd, input, kept_echo_piece(&loop->shared->kept, loop->streams->piece));
	int64_t now;

	if (size == 0) {
		conclude(connection, TCP_CLOSED_CLIENT);
		return;
	}
	if (size < 0) {
		if (errno != EAGAIN && errno != EINTR)
			connection_close(connection, TCP_CLOSED_ERROR);
		return;
	}
	connection->since = now = clock_ms();
	connection->received += (uint64_t)size;
	note_size(loop->streams, connection, size, now);
	counter_add(&loop->counters, TCP_RECEIVED_BYTES, (uint64_t)size);
	counter_add(&loop->counters, TCP_MESSAGES, 1);
	if (prefix->length > 0)
		memcpy(input - prefix->length, prefix->bytes, prefix->length);
	reply(connection, fd, input - prefix->length, (size_t)size + prefix->length);
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
	connection_release_rest(connection);
	all_sent(connection);
}

static void on_lingering(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;
	struct loop *loop = connection->service->loop;
	ssize_t size = receive(fd, loop->streams->input, INPUT_SIZE);

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
	conclude(connection, connection->ending);
}

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

int connection_start(struct service *service, int fd, const struct address *peer)
{
	struct connection *connection =
		connection_new(service, fd, peer, connection_first_look(service));
	const struct text *greeting = &service->settings->greeting;

	if (!connection)
		return -1;
	if (wait_for(connection, READING) < 0)
		connection_reset(connection, TCP_CLOSED_ERROR);
	else if (greeting->length > 0)
		reply(connection, fd, greeting->bytes, greeting->length);
	return 0;
}

static struct connection *connection_of(struct wheel_item *item)
{
	return (struct connection *)((char *)item - offsetof(struct connection, item));
}

static int64_t visit(struct wheel_item *item, int64_t now, void *arg UNUSED)
{
	struct connection *connection = connection_of(item);
	enum counter why = connection->state == READING ? TCP_CLOSED_IDLE : connection->ending;

	switch (connection_due(connection, now)) {
	case DUE_DRAINED:
		connection_close(connection, TCP_CLOSED_SHUTDOWN);
		break;
	case DUE_STALLED:
		connection_reset(connection, TCP_CLOSED_STALL);
		break;
	case DUE_OVER:
		if (conclude(connection, why))
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

	if (connection->state != READING || !connection_nothing_received(connection))
		return;
	if (connection_unread(connection) == 0)
		connection_close(connection, TCP_CLOSED_SHUTDOWN);
	else
		finish(connection, TCP_CLOSED_SHUTDOWN);
}

static void stop_if_none(const struct loop *loop)
{
	if (loop->streams->connections == 0)
		event_base_loopbreak(loop->base);
}

void connections_drain(struct loop *loop)
{
	if (!loop->streams->draining) {
		loop->streams->draining = true;
		wheel_each(loop->streams->wheel, drain, NULL);
	}
	stop_if_none(loop);
}

static void end_now(struct wheel_item *item, void *arg UNUSED)
{
	struct connection *connection = connection_of(item);
	bool over = connection->state == LINGERING || connection->state == FLUSHING;
	enum counter why = over ? connection->ending : TCP_CLOSED_SHUTDOWN;

	if (over && connection_unread(connection) == 0)
		connection_close(connection, why);
	else
		connection_reset(connection, why);
}

void connections_abort(struct loop *loop)
{
	wheel_each(loop->streams->wheel, end_now, NULL);
	stop_if_none(loop);
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
