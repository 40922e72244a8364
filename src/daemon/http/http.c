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

#include "base/clock.h"
#include "daemon/http/host.h"

#define REQUEST_MAX 4096
#define ACCEPTS_PER_TURN 32
#define LINGER_BYTES (64 * 1024)

static const struct timeval patience = {.tv_sec = 5};
static const struct timeval pause_time = {.tv_usec = 500 * 1000};
static const struct timeval full_time = {.tv_usec = 50 * 1000};

enum stage { READING, WAITING /* for http_answer */, WRITING, LINGERING };

/*
 * How old a client must be before a new one may replace it; waiting ends by itself. A lingering
 * client has been sent its whole response and loses nothing.
 */
static const int64_t evictable_ms[] = {
	[READING] = 100, [WAITING] = INT64_MAX, [WRITING] = 1000, [LINGERING] = 0};

struct client {
	struct http *http;     /* NULL: the slot is free */
	struct event event;    /* readable or writable; has the client's descriptor */
	struct event deadline; /* from accept to close */
	enum stage stage;
	int64_t since; /* time of accept */
	size_t received;
	size_t sent;
	size_t end;
	char request[REQUEST_MAX + 1];
	char response[HTTP_HEADER_MAX + HTTP_BODY_MAX]; /* not backed by memory until written to */
};

struct http {
	struct event_base *base;
	const struct http_site *site;
	void *arg;
	bool loopback_only;
	struct event acceptable;
	struct event resume; /* pending while accepting is paused */
	struct client clients[HTTP_CLIENTS_MAX];
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

/* Let the client close first: unread bytes would cause a reset, which may discard the response. */
static void on_lingering(int fd, short what UNUSED, void *arg)
{
	struct client *client = arg;
	ssize_t size = recv(fd, client->request, REQUEST_MAX, 0);

	if (size > 0)
		client->received += (size_t)size;
	if (size == 0 || broken(size) || client->received > LINGER_BYTES)
		client_close(client);
}

static void linger(struct client *client)
{
	client->stage = LINGERING;
	turn_to(client, EV_READ, on_lingering);
	resume_accepting(client->http);
}

static void on_writable(int fd, short what UNUSED, void *arg)
{
	struct client *client = arg;
	const char *rest = client->response + client->sent;
	ssize_t size = send(fd, rest, client->end - client->sent, MSG_NOSIGNAL);

	if (size > 0)
		client->sent += (size_t)size;
	if (broken(size) || (client->sent == client->end && shutdown(fd, SHUT_WR) < 0))
		client_close(client);
	else if (client->sent == client->end)
		linger(client);
}

/* The headers are written right before the body. */
static void respond(struct client *client, struct http_reply *reply, bool with_body)
{
	char header[HTTP_HEADER_MAX];
	size_t length;

	if (reply->body.length == 0)
		bounded_text_add(&reply->body, "%s\n", reply->status);
	length = http_header_write(header, reply);
	client->sent = HTTP_HEADER_MAX - length;
	client->end = HTTP_HEADER_MAX + (with_body ? reply->body.length : 0);
	memcpy(client->response + client->sent, header, length);
	client->stage = WRITING;
	turn_to(client, EV_WRITE, on_writable);
}

static const char *judge(struct client *client, char *text, struct http_request *request)
{
	const char *status = http_request_parse(text, request);

	if (strcmp(status, HTTP_OK) == 0 && client->http->loopback_only &&
	    !http_host_is_loopback(request))
		return HTTP_FORBIDDEN;
	return status;
}

static void write_page(struct http *http, const struct http_request *request,
		       struct http_reply *reply)
{
	const struct http_path *known = http->site->paths;

	while (known->path && strcmp(known->path, request->path) != 0)
		known++;
	if (known->page)
		known->page(http->arg, request, reply);
	else
		reply->status = HTTP_NOT_FOUND;
}

/* STATUS other than HTTP_OK: refused without a look at the request. */
static void answer(struct client *client, const char *status)
{
	struct http_reply reply = {.status = status, .type = "text/plain; charset=utf-8"};
	char *text = http_request_start(client->request);
	bool with_body = strncmp(text, "HEAD ", 5) != 0;
	struct http_request request;

	bounded_text_begin(&reply.body, client->response + HTTP_HEADER_MAX, HTTP_BODY_MAX);
	if (strcmp(reply.status, HTTP_OK) == 0)
		reply.status = judge(client, text, &request);
	if (strcmp(reply.status, HTTP_OK) == 0)
		write_page(client->http, &request, &reply);
	else if (strcmp(reply.status, HTTP_FORBIDDEN) == 0)
		bounded_text_add(&reply.body, "Served on a loopback address: ask for localhost or "
					      "that address, not for another host.\n");
	respond(client, &reply, with_body);
}

void http_answer(struct http *http)
{
	for (size_t i = 0; i < HTTP_CLIENTS_MAX; i++) {
		if (http->clients[i].http && http->clients[i].stage == WAITING)
			answer(&http->clients[i], HTTP_OK);
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
		if (client->http->site->asked)
			client->http->site->asked(client->http->arg);
		else
			http_answer(client->http);
	} else if (client->received == REQUEST_MAX) {
		answer(client, "431 Request Header Fields Too Large");
	}
}

/* A free slot, or that of the oldest client that may be replaced; NULL if there is none yet. */
static struct client *find_place(struct http *http)
{
	struct client *oldest = NULL;
	int64_t now = clock_ms();

	for (size_t i = 0; i < HTTP_CLIENTS_MAX; i++) {
		struct client *client = &http->clients[i];

		if (!client->http)
			return client;
		if (now - client->since >= evictable_ms[client->stage] &&
		    (!oldest || client->since < oldest->since))
			oldest = client;
	}
	return oldest;
}

/* -1: out of memory, and the caller still owns FD. */
static int client_start(struct http *http, struct client *client, int fd)
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
		int client;

		if (!place) {
			pause_accepting(http, &full_time);
			return;
		}
		client = accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (client < 0) {
			/* Without descriptors or memory, let clients wait instead of spinning. */
			if (errno != EAGAIN && errno != ECONNABORTED)
				pause_accepting(http, &pause_time);
			return;
		}
		if (place->http)
			client_end(place);
		if (client_start(http, place, client) < 0)
			close(client);
	}
}

struct http *http_new(struct event_base *base, int fd, bool loopback_only,
		      const struct http_site *site, void *arg)
{
	struct http *http = calloc(1, sizeof(*http));

	if (!http)
		return NULL;
	http->base = base;
	http->loopback_only = loopback_only;
	http->site = site;
	http->arg = arg;
	event_assign(&http->resume, base, -1, 0, on_resume, http);
	event_assign(&http->acceptable, base, fd, EV_READ | EV_PERSIST, on_acceptable, http);
	if (event_add(&http->acceptable, NULL) < 0) {
		free(http);
		return NULL;
	}
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	for (size_t i = 0; i < HTTP_CLIENTS_MAX; i++) {
		if (http->clients[i].http)
			client_end(&http->clients[i]);
	}
	event_del(&http->acceptable);
	event_del(&http->resume);
	free(http);
}
