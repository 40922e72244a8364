/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See http.h. A connection uses one of a fixed number of slots: it reads, writes, lingers, ends. */

#include "config.h"

#include "daemon/http/http.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "daemon/http/response.h"

#define REQUEST_MAX 4096
#define ACCEPTS_PER_TURN 32
#define UNASKED_BYTES (64 * 1024)
#define STREAM_PATIENCE_S 30

static const struct timeval patience = {.tv_sec = 5};
static const struct timeval at_once = {0};
static const struct timeval pause_time = {.tv_usec = 500 * 1000};
static const struct timeval full_time = {.tv_usec = 50 * 1000};

enum stage {
	READING,
	WAITING, /* for http_answer */
	PRODUCING,
	SUSPENDED, /* waits for http_resume */
	WRITING,
	LINGERING
};

/*
 * How old a client must be before a new one may replace it, or the last piece of its reply; waiting
 * ends by itself, and a suspended client takes nobody's place. A lingering one has been sent its
 * whole response and loses nothing.
 */
static const int64_t evictable_ms[] = {
	[READING] = 100,	 [WAITING] = INT64_MAX, [PRODUCING] = 1000,
	[SUSPENDED] = INT64_MAX, [WRITING] = 1000,	[LINGERING] = 0};

struct client {
	struct http *http;     /* NULL: the slot is free */
	struct event event;    /* readable or writable; has the client's descriptor */
	struct event deadline; /* from accept to close */
	enum stage stage;
	int64_t since; /* time of accept, or of the last piece that a stream was asked for */
	struct address peer;
	size_t received;
	char request[REQUEST_MAX + 1];
	struct http_response response;
};

struct http {
	struct event_base *base;
	struct http_service service;
	struct event acceptable;
	struct event resume;  /* pending while accepting is paused */
	struct event produce; /* pending while a client is PRODUCING */
	size_t producer;      /* the slot whose turn it is first */
	size_t slots;
	struct client clients[];
};

static void pause_accepting(struct http *http, const struct timeval *pause)
{
	if (event_add(&http->resume, pause) == 0)
		event_del(&http->acceptable);
}

static void resume_accepting(struct http *http)
{
	if (event_add(&http->acceptable, NULL) < 0)
		event_add(&http->resume, &pause_time);
	else
		event_del(&http->resume);
}

static void client_end(struct client *client)
{
	event_del(&client->event);
	event_del(&client->deadline);
	close(event_get_fd(&client->event));
	http_response_end(&client->response);
	client->http = NULL;
}

/* A slot is free again. */
static void client_close(struct client *client)
{
	struct http *http = client->http;

	client_end(client);
	resume_accepting(http);
}

static void on_deadline(int fd UNUSED, short what UNUSED, void *arg)
{
	client_close(arg);
}

/* If the event cannot be added, the deadline ends the connection. */
static void turn_to(struct client *client, short what, event_callback_fn callback)
{
	struct event *event = &client->event;
	int fd = event_get_fd(event);

	event_del(event);
	event_assign(event, client->http->base, fd, (short)(what | EV_PERSIST), callback, client);
	event_add(event, NULL);
}

static bool broken(ssize_t size)
{
	return size < 0 && errno != EAGAIN && errno != EINTR;
}

/* What a client sends after its request is read and dropped, up to a limit, until it closes. */
static void on_unasked(int fd, short what UNUSED, void *arg)
{
	struct client *client = arg;
	ssize_t size = recv(fd, client->request, REQUEST_MAX, 0);

	if (size > 0)
		client->received += (size_t)size;
	if (size == 0 || broken(size) || client->received > UNASKED_BYTES)
		client_close(client);
}

/* Let the client close first: unread bytes would cause a reset, which may discard the response. */
static void linger(struct client *client)
{
	client->stage = LINGERING;
	turn_to(client, EV_READ, on_unasked);
	resume_accepting(client->http);
}

/* A client that closes is noticed, so that nothing is done for nobody. */
static void suspend(struct client *client)
{
	client->stage = SUSPENDED;
	turn_to(client, EV_READ, on_unasked);
	resume_accepting(client->http);
}

static void proceed(struct client *client, enum http_delivery delivery);

static void on_writable(int fd, short what UNUSED, void *arg)
{
	struct client *client = arg;

	proceed(client, http_response_send(&client->response, fd));
}

/* If the event that produces cannot be added, the deadline ends the connection. */
static void proceed(struct client *client, enum http_delivery delivery)
{
	if (delivery == HTTP_TO_SEND) {
		if (client->stage != WRITING)
			turn_to(client, EV_WRITE, on_writable);
		client->stage = WRITING;
	} else if (delivery == HTTP_TO_PRODUCE) {
		event_del(&client->event);
		client->stage = PRODUCING;
		event_add(&client->http->produce, &at_once);
	} else if (delivery == HTTP_TO_WAIT) {
		suspend(client);
	} else if (delivery == HTTP_BROKEN || shutdown(event_get_fd(&client->event), SHUT_WR) < 0) {
		client_close(client);
	} else {
		linger(client);
	}
}

static struct client *next_producer(struct http *http)
{
	for (size_t i = 0; i < http->slots; i++) {
		size_t slot = (http->producer + i) % http->slots;
		struct client *client = &http->clients[slot];

		if (client->http && client->stage == PRODUCING) {
			http->producer = slot + 1;
			return client;
		}
	}
	return NULL;
}

/* One piece of one client in each turn of the loop, so that nothing else waits for more. */
static void on_produce(int fd UNUSED, short what UNUSED, void *arg)
{
	struct http *http = arg;
	struct client *client = next_producer(http);

	if (!client)
		return;
	event_add(&http->produce, &at_once);
	client->since = clock_ms();
	proceed(client, http_response_produce(&client->response));
}

static void answer(struct client *client)
{
	char *text = http_request_start(client->request);
	enum http_delivery delivery = http_response_answer(
		&client->response, &client->http->service, &client->peer, text);
	const struct http_stream *stream = &client->response.reply.stream;
	const struct timeval stream_patience = {.tv_sec =
							STREAM_PATIENCE_S + (time_t)stream->wait_s};

	if (stream->more)
		event_add(&client->deadline, &stream_patience);
	proceed(client, delivery);
}

static void refuse(struct client *client, const char *status)
{
	const char *text = http_request_start(client->request);

	proceed(client, http_response_refuse(&client->response, text, status));
}

void http_answer(struct http *http)
{
	for (size_t i = 0; i < http->slots; i++) {
		if (http->clients[i].http && http->clients[i].stage == WAITING)
			answer(&http->clients[i]);
	}
}

void http_resume(struct http *http, const void *context)
{
	for (size_t i = 0; i < http->slots; i++) {
		struct client *client = &http->clients[i];

		if (client->http && client->stage == SUSPENDED &&
		    client->response.reply.stream.context == context)
			proceed(client, HTTP_TO_PRODUCE);
	}
}

static void on_readable(int fd, short what UNUSED, void *arg)
{
	struct client *client = arg;
	char *rest = client->request + client->received;
	ssize_t size = recv(fd, rest, REQUEST_MAX - client->received, 0);

	if (size > 0)
		client->received += (size_t)size;
	client->request[client->received] = '\0';
	if (size == 0 || broken(size)) {
		client_close(client);
	} else if (http_request_complete(client->request)) {
		event_del(&client->event);
		client->stage = WAITING;
		if (client->http->service.site->asked)
			client->http->service.site->asked(client->http->service.arg);
		else
			http_answer(client->http);
	} else if (client->received == REQUEST_MAX) {
		refuse(client, "431 Request Header Fields Too Large");
	}
}

/* A free slot, or that of the oldest client that may be replaced; NULL if there is none yet. */
static struct client *find_place(struct http *http)
{
	struct client *unused = NULL, *oldest = NULL;
	int64_t now = clock_ms();
	size_t busy = 0;

	for (size_t i = 0; i < http->slots; i++) {
		struct client *client = &http->clients[i];

		if (!client->http) {
			unused = unused ? unused : client;
			continue;
		}
		busy += client->stage != SUSPENDED;
		if (now - client->since >= evictable_ms[client->stage] &&
		    (!oldest || client->since < oldest->since))
			oldest = client;
	}
	return unused && busy < HTTP_CLIENTS_MAX ? unused : oldest;
}

/* -1: out of memory, and the caller still owns FD. */
static int client_start(struct http *http, struct client *client, int fd,
			const struct address *peer)
{
	event_assign(&client->event, http->base, fd, EV_READ | EV_PERSIST, on_readable, client);
	event_assign(&client->deadline, http->base, -1, 0, on_deadline, client);
	if (event_add(&client->event, NULL) < 0 || event_add(&client->deadline, &patience) < 0) {
		event_del(&client->event);
		return -1;
	}
	client->http = http;
	client->stage = READING;
	client->since = clock_ms();
	client->received = 0;
	client->peer = *peer;
	return 0;
}

static void on_resume(int fd UNUSED, short what UNUSED, void *arg)
{
	resume_accepting(arg);
}

static void on_acceptable(int fd, short what UNUSED, void *arg)
{
	struct http *http = arg;

	for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
		struct client *place = find_place(http);
		struct address peer = {.length = sizeof(peer.un)};
		int client;

		if (!place) {
			pause_accepting(http, &full_time);
			return;
		}
		client = accept4(fd, &peer.sa, &peer.length, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client < 0) {
			/* Without descriptors or memory, let clients wait instead of spinning. */
			if (errno != EAGAIN && errno != ECONNABORTED)
				pause_accepting(http, &pause_time);
			return;
		}
		if (place->http)
			client_end(place);
		if (client_start(http, place, client, &peer) < 0)
			close(client);
	}
}

struct http *http_new(struct event_base *base, int fd, bool loopback_only,
		      const struct http_site *site, void *arg)
{
	size_t slots = HTTP_CLIENTS_MAX + site->waiting_max;
	struct http *http = calloc(1, sizeof(*http) + slots * sizeof(struct client));

	if (!http)
		return NULL;
	http->slots = slots;
	http->base = base;
	http->service = (struct http_service){http, site, arg, loopback_only};
	event_assign(&http->produce, base, -1, 0, on_produce, http);
	event_assign(&http->resume, base, -1, 0, on_resume, http);
	event_assign(&http->acceptable, base, fd, EV_READ | EV_PERSIST, on_acceptable, http);
	if (event_add(&http->acceptable, NULL) < 0) {
		free(http);
		return NULL;
	}
	return http;
}

bool http_is_sending(const struct http *http)
{
	for (size_t i = 0; i < http->slots; i++) {
		const struct client *client = &http->clients[i];

		if (client->http && (client->stage == PRODUCING || client->stage == WRITING))
			return true;
	}
	return false;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	for (size_t i = 0; i < http->slots; i++) {
		if (http->clients[i].http)
			client_end(&http->clients[i]);
	}
	event_del(&http->acceptable);
	event_del(&http->resume);
	event_del(&http->produce);
	free(http);
}
