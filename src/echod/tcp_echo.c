/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See tcp_echo.h. The path of a message: on_readable, one recv, one send, back to the loop. */

#include "config.h"

#include "tcp_echo.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "connection.h"
#include "loop.h"

/*
 * After our FIN, how long (at a stop drain_timeout says it) and how much we listen on, lest a reset
 * eats what the peer has not read.
 */
#define LINGER_MS 2000
#define LINGER_BYTES (16 * 1024 * 1024)
#define DRAINED_LOOK_MS 100

static void on_readable(int fd, short what, void *arg);
static void on_writable(int fd, short what, void *arg);
static void on_lingering(int fd, short what, void *arg);

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

static int64_t deadline(const struct connection *connection)
{
	const struct listener_config *settings = connection->service->settings;
	uint64_t timeout = LINGER_MS;

	if (connection->state == READING)
		timeout = settings->idle_timeout;
	else if (connection->state == WRITING)
		timeout = settings->stall_timeout;
	else if (connection->ending == TCP_CLOSED_SHUTDOWN)
		timeout = 0; /* until all is read, or drain_timeout is over */
	return timeout > 0 ? connection->since + (int64_t)timeout : INT64_MAX; /* 0: never */
}

static bool nothing_received(const struct connection *connection)
{
	int waiting = 0;

	return ioctl(event_get_fd(&connection->event), SIOCINQ, &waiting) < 0 || waiting == 0;
}

/*
 * What the kernel still has of ours would be lost to a reset if the client sent on after a close.
 */
static bool nothing_unread(const struct connection *connection)
{
	int unread = 0;

	return ioctl(event_get_fd(&connection->event), SIOCOUTQ, &unread) < 0 || unread == 0;
}

/*
 * Whether the wheel shall look at it before its deadline: a stop waits neither for the FIN of a
 * peer that has acknowledged everything, ours included, nor for one that has fallen silent.
 */
static bool may_be_drained(const struct connection *connection)
{
	if (connection->state == LINGERING)
		return connection->ending == TCP_CLOSED_SHUTDOWN;
	return connection->state == READING && connection->service->loop->draining;
}

static bool drained(const struct connection *connection, int64_t now)
{
	return may_be_drained(connection) && now - connection->since >= DRAINED_LOOK_MS &&
	       nothing_received(connection) && nothing_unread(connection);
}

static int64_t next_look(const struct connection *connection)
{
	int64_t due = deadline(connection);
	int64_t soon = clock_ms() + DRAINED_LOOK_MS;

	return may_be_drained(connection) && soon < due ? soon : due;
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
	};
	struct loop *loop = connection->service->loop;
	struct event *event = &connection->event;

	event_del(event);
	event_assign(event, loop->base, event_get_fd(event), waits[state].events,
		     waits[state].callback, connection);
	connection->state = state;
	connection->since = clock_ms();
	wheel_move(loop->wheel, &connection->item, next_look(connection));
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

/* Nothing is kept any more. Decides whether that was the last of it. */
static inline void all_sent(struct connection *connection)
{
	struct service *service = connection->service;

	if (service->settings->reply_once && connection->received > 0) {
		finish(connection, TCP_CLOSED_REPLIED);
		return;
	}
	/* Where the peer was held up, there is more to come now that there is room for it. */
	if (service->loop->draining && connection->state == READING &&
	    nothing_received(connection)) {
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
	connection->rest = malloc(size);
	if (!connection->rest)
		return -1;
	memcpy(connection->rest, data, size);
	connection->rest_at = 0;
	connection->rest_size = size;
	return wait_for(connection, WRITING);
}

static inline void reply(struct connection *connection, int fd, const char *data, size_t size)
{
	ssize_t sent = send_some(connection, fd, data, size);

	if (sent == (ssize_t)size)
		all_sent(connection);
	else if (sent < 0 || keep_rest(connection, data + sent, size - (size_t)sent) < 0)
		connection_reset(connection, TCP_CLOSED_ERROR);
}

static void on_readable(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;
	struct loop *loop = connection->service->loop;
	const struct text *prefix = &connection->service->settings->prefix;
	ssize_t size = receive(fd, loop->input, INPUT_SIZE);

	if (size == 0) {
		connection_close(connection, TCP_CLOSED_CLIENT);
		return;
	}
	if (size < 0) {
		if (errno != EAGAIN && errno != EINTR)
			connection_close(connection, TCP_CLOSED_ERROR);
		return;
	}
	connection->since = clock_ms();
	connection->received += (uint64_t)size;
	counter_add(&loop->counters, TCP_RECEIVED_BYTES, (uint64_t)size);
	counter_add(&loop->counters, TCP_MESSAGES, 1);
	if (prefix->length > 0)
		memcpy(loop->input - prefix->length, prefix->bytes, prefix->length);
	reply(connection, fd, loop->input - prefix->length, (size_t)size + prefix->length);
}

static void on_writable(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;
	size_t left = connection->rest_size - connection->rest_at;
	ssize_t sent = send_some(connection, fd, connection->rest + connection->rest_at, left);

	if (sent < 0) {
		connection_reset(connection, TCP_CLOSED_ERROR);
		return;
	}
	connection->rest_at += (size_t)sent;
	if (connection->rest_at < connection->rest_size)
		return;
	free(connection->rest);
	connection->rest = NULL;
	all_sent(connection);
}

static void on_lingering(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;
	struct loop *loop = connection->service->loop;
	ssize_t size = receive(fd, loop->input, INPUT_SIZE);

	if (size > 0) {
		connection->received += (uint64_t)size;
		connection->lingered += (uint32_t)size;
		counter_add(&loop->counters, TCP_RECEIVED_BYTES, (uint64_t)size);
		if (connection->lingered < LINGER_BYTES)
			return;
	} else if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
		return;
	}
	connection_close(connection, connection->ending);
}

int connection_start(struct service *service, int fd, const struct address *peer)
{
	struct connection *connection = connection_new(service, fd, peer);
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

int64_t connection_visit(struct wheel_item *item, int64_t now, void *arg UNUSED)
{
	struct connection *connection = connection_of(item);

	if (drained(connection, now))
		connection_close(connection, TCP_CLOSED_SHUTDOWN);
	else if (deadline(connection) > now)
		return next_look(connection);
	else if (connection->state == READING)
		connection_close(connection, TCP_CLOSED_IDLE);
	else if (connection->state == WRITING)
		connection_reset(connection, TCP_CLOSED_STALL);
	else
		connection_close(connection, connection->ending);
	return WHEEL_GONE;
}

static void refile(struct wheel_item *item, void *arg)
{
	wheel_move(arg, item, next_look(connection_of(item)));
}

void connections_refile(struct loop *loop)
{
	wheel_each(loop->wheel, refile, loop->wheel);
}

static void drain(struct wheel_item *item, void *arg UNUSED)
{
	struct connection *connection = connection_of(item);

	if (connection->state != READING || !nothing_received(connection))
		return;
	if (nothing_unread(connection))
		connection_close(connection, TCP_CLOSED_SHUTDOWN);
	else
		finish(connection, TCP_CLOSED_SHUTDOWN);
}

void connections_drain(struct loop *loop)
{
	loop->draining = true;
	wheel_each(loop->wheel, drain, NULL);
}

static void end_now(struct wheel_item *item, void *arg UNUSED)
{
	struct connection *connection = connection_of(item);

	if (connection->state == LINGERING)
		connection_close(connection, connection->ending);
	else
		connection_reset(connection, TCP_CLOSED_SHUTDOWN);
}

void connections_abort(struct loop *loop)
{
	wheel_each(loop->wheel, end_now, NULL);
}
