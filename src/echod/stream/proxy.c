/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See proxy.h. What arrives is received like any message, so that a header and what is behind it
 * cost one call together; the beginning of a header is kept until the rest comes. A refusal is a
 * reset: what was received is lost, which an orderly end would deny.
 */

#include "config.h"

#include "echod/stream/proxy.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#include "echod/serving/loop.h"
#include "echod/stream/admission.h"
#include "echod/stream/connection.h"
#include "echod/stream/connection_log.h"
#include "echod/stream/connection_time.h"
#include "echod/stream/echo.h"
#include "echod/stream/proxy_header.h"
#include "echod/stream/stream_io.h"
#include "echod/stream/streams.h"

/* For the header, from accept; the specification asks for 3 at least. */
#define HEADER_MS 5000

static struct loop *loop_of(const struct connection *connection)
{
	return connection->service->loop;
}

/* The header is whole, or will never be. */
static void end_wait(struct connection *connection)
{
	counter_add(&loop_of(connection)->counters, TCP_HEADERS_PENDING, UINT64_MAX);
}

static void refuse(struct connection *connection, enum counter why, const char *detail,
		   bool is_notable)
{
	end_wait(connection);
	connection_refuse(connection, &(struct refusal){why, detail, is_notable});
}

/* Of the echo nothing is owed to it. */
static void refuse_for_stop(struct connection *connection)
{
	refuse(connection, TCP_REJECTED_PROXY, "stopped before the PROXY header was complete",
	       false);
}

static void keep_header(struct connection *connection, const char *data, size_t size)
{
	connection_release_rest(connection);
	if (loop_of(connection)->streams->draining)
		refuse_for_stop(connection);
	else if (connection_keep(connection, data, size) < 0)
		refuse(connection, TCP_ACCEPT_ERRORS, NULL, false);
}

/* A source is judged as if it had connected itself; a proxy that names none was judged already. */
static enum admission admit_named(struct connection *connection, const struct address *source)
{
	if (source->length == 0)
		return ADMITTED;
	peer_set(&connection->peer, source);
	connection->is_proxied = true;
	return admit_source(connection->service, &connection->peer, &connection->source_counted);
}

/* What is behind the header is the first message. */
static void begin(struct connection *connection, const struct address *source, char *data,
		  size_t size)
{
	enum admission admission;

	connection_release_rest(connection);
	admission = admit_named(connection, source);
	if (admission != ADMITTED) {
		refuse(connection, admission_counter(admission), NULL, false);
		return;
	}
	end_wait(connection);
	connection_begin(connection, data, size);
}

static void take(struct connection *connection, char *data, size_t size)
{
	struct proxy_header header;

	switch (proxy_header_parse(data, size, &header)) {
	case PROXY_MORE:
		keep_header(connection, data, size);
		break;
	case PROXY_COMPLETE:
		begin(connection, &header.source, data + header.length, size - header.length);
		break;
	case PROXY_INVALID:
		refuse(connection, TCP_REJECTED_PROXY, header.fault, true);
		break;
	}
}

/* Health checks that only connect end here, so this is nothing to worry about. */
static void see_end(struct connection *connection)
{
	refuse(connection, TCP_REJECTED_PROXY,
	       connection->rest ? "closed inside the PROXY header"
				: "closed without a PROXY header",
	       false);
}

static void on_readable(int fd, short what UNUSED, void *arg)
{
	struct connection *connection = arg;
	struct loop *loop = loop_of(connection);
	char *input = loop->streams->input;
	size_t kept = connection->rest ? connection->rest_size : 0;
	size_t most = kept_echo_piece(&loop->shared->kept, loop->streams->piece);
	ssize_t size;

	if (kept > 0)
		memcpy(input, connection->rest, kept);
	if (most > INPUT_SIZE - kept)
		most = INPUT_SIZE - kept;
	size = stream_receive(fd, input + kept, most);
	if (size > 0)
		take(connection, input, kept + (size_t)size);
	else if (size == 0)
		see_end(connection);
	else if (errno != EAGAIN && errno != EINTR)
		refuse(connection, TCP_REJECTED_PROXY, strerror(errno), false);
}

static int64_t header_deadline(const struct connection *connection)
{
	return deadline_after(connection->opened, HEADER_MS);
}

static bool expire(struct connection *connection)
{
	refuse(connection, TCP_REJECTED_PROXY,
	       connection->rest ? "the PROXY header is not complete after 5 s"
				: "no PROXY header within 5 s: does the load balancer send one? "
				  "(proxy_from)",
	       true);
	return true;
}

/* What has arrived may still be a header, and a message to echo. */
static void drain(struct connection *connection)
{
	if (connection_nothing_received(connection))
		refuse_for_stop(connection);
}

const struct stage stage_proxy = {
	.events = EV_READ | EV_PERSIST,
	.ready = on_readable,
	.deadline = header_deadline,
	.expire = expire,
	.drain = drain,
	.abort = refuse_for_stop,
	.is_strict = true,
};

int proxy_start(struct service *service, int fd, const struct peer *proxy)
{
	struct connection *connection = connection_new(service, fd, proxy, true);

	if (!connection)
		return -1;
	counter_add(&service->loop->counters, TCP_HEADERS_PENDING, 1);
	if (connection_enter(connection, &stage_proxy) < 0)
		refuse(connection, TCP_ACCEPT_ERRORS, NULL, false);
	return 0;
}
