/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * For tests of /probe: its page and the streams of its answers, called as the HTTP server would
 * call them; echo servers in the same loop; names that mean what the test says.
 */

#pragma once

#include <event2/event.h>
#include <netdb.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "daemon/http/http.h"
#include "echom/on_demand/on_demand.h"
#include "probe/probe.h"
#include "unit/watches_scene.h"

#define EVERYTHING "[server]\nprobe_from = 127.0.0.0/8\nprobe_targets = 127.0.0.0/8 ::1\n"

static struct on_demand *on_demand;
static struct http *http; /* has no clients */
static int http_listener;

/* What each name means, in place of the C library's answer; NULL: nothing. */
static const char *meanings[2];
static atomic_uint lookups; /* of names */
static sem_t released;	    /* what a name that begins with "slow" waits for */

static inline struct addrinfo *information(const struct address *address, struct addrinfo *next)
{
	struct addrinfo *info = calloc(1, sizeof(*info) + sizeof(*address));
	struct address *copy = info ? (struct address *)(info + 1) : NULL;

	if (!info)
		return next;
	*copy = *address;
	info->ai_addr = &copy->sa;
	info->ai_addrlen = address->length;
	info->ai_next = next;
	return info;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints UNUSED,
		struct addrinfo **list)
{
	uint16_t port = (uint16_t)atoi(service);
	struct address address;
	struct reason ignored;

	*list = NULL;
	if (address_from_ip(&address, host, port, &ignored) == 0) {
		*list = information(&address, NULL);
		return *list ? 0 : EAI_MEMORY;
	}
	atomic_fetch_add(&lookups, 1);
	if (strncmp(host, "slow", 4) == 0)
		(void)sem_wait(&released);
	for (size_t i = ARRAY_SIZE(meanings); i-- > 0;) {
		if (meanings[i] && address_from_ip(&address, meanings[i], port, &ignored) == 0)
			*list = information(&address, *list);
	}
	return *list ? 0 : EAI_NONAME;
}

void freeaddrinfo(struct addrinfo *list)
{
	while (list) {
		struct addrinfo *next = list->ai_next;

		free(list);
		list = next;
	}
}

static inline void mean(const char *first, const char *second)
{
	meanings[0] = first;
	meanings[1] = second;
}

/* What echod would do, but for the first SILENT datagrams. Asserts nothing. */
struct server {
	uint16_t port;
	unsigned served;
	unsigned silent;
};

static inline void echo(evutil_socket_t fd, short what UNUSED, void *arg)
{
	struct server *server = arg;
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	char data[128];
	ssize_t size = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &length);

	if (size > 0 && ++server->served > server->silent)
		(void)sendto(fd, data, (size_t)size, 0, (struct sockaddr *)&from, length);
}

/* A UDP server at HOST, at the port of SERVER if it has one. */
static inline void serve(struct server *server, const char *host)
{
	struct sockaddr_in bound = {.sin_family = AF_INET, .sin_port = htons(server->port)};
	socklen_t length = sizeof(bound);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(inet_pton(AF_INET, host, &bound.sin_addr), 1);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&bound, sizeof(bound)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&bound, &length), 0);
	server->port = ntohs(bound.sin_port);
	ck_assert_int_eq(event_add(event_new(base, fd, EV_READ | EV_PERSIST, echo, server), NULL),
			 0);
}

static inline void allow(const char *settings)
{
	struct watchlist *list = list_of(settings);

	on_demand_set(on_demand, list);
	watchlist_release(list);
}

static inline void set_up_on_demand(void)
{
	static const struct http_path paths[] = {{NULL, NULL}};
	static const struct http_site site = {.paths = paths};
	struct watchlist *list = list_of(EVERYTHING);

	ck_assert_int_eq(sem_init(&released, 0, 0), 0);
	probe_prepare();
	set_up_watches();
	http_listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(listen(http_listener, 1), 0);
	http = http_new(base, http_listener, false, &site, NULL);
	on_demand = on_demand_new(&watches->shared, list);
	ck_assert(http && on_demand);
	watchlist_release(list);
}

static inline void tear_down_on_demand(void)
{
	http_free(http);
	on_demand_free(on_demand);
	watches_free(watches);
	close(http_listener);
}

/* One request, and what becomes of it. */
struct question {
	struct address peer;
	struct http_request request;
	struct http_reply reply;
	char bytes[128 << 10];
};

/* By CALLER, with HEADERS. */
static inline void prepare(struct question *question, const char *caller, const char *query,
			   const char *headers)
{
	struct reason reason;

	ck_assert_int_eq(address_from_ip(&question->peer, caller, 4711, &reason), 0);
	question->request = (struct http_request){.peer = &question->peer,
						  .http = http,
						  .path = "/probe",
						  .query = query,
						  .headers = headers};
	question->reply = (struct http_reply){.status = HTTP_OK};
	bounded_text_begin(&question->reply.body, question->bytes, sizeof(question->bytes));
}

static inline void ask_from(struct question *question, const char *caller, const char *query,
			    const char *headers)
{
	prepare(question, caller, query, headers);
	on_demand_page(on_demand, &question->request, &question->reply);
}

static inline void ask(struct question *question, const char *query)
{
	ask_from(question, "127.0.0.1", query, "");
}

/* False: it waits. Asserts nothing. */
static inline bool is_answered(struct question *question)
{
	struct http_stream *stream = &question->reply.stream;

	if (!stream->more)
		return true;
	if (stream->more(stream->context, &question->reply) == HTTP_STREAM_WAIT)
		return false;
	stream->done(stream->context);
	*stream = (struct http_stream){0};
	return true;
}

static inline void drop(struct question *question)
{
	if (question->reply.stream.more)
		question->reply.stream.done(question->reply.stream.context);
	question->reply.stream = (struct http_stream){0};
}

static inline const char *status_of(const struct question *question)
{
	return question->reply.status;
}

/* The whole of it, once it is there. */
static inline const char *hear_answer(struct question *question)
{
	while (!is_answered(question))
		ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
	ck_assert(!question->reply.body.cut);
	return question->bytes;
}

static struct question question;

/* In its answer; -1 if there is no such line. */
static inline double figure(const char *family)
{
	char start[128];
	const char *line;

	(void)snprintf(start, sizeof(start), "\n%s", family);
	line = strstr(question.bytes, start);
	return line ? strtod(strchr(line + 1, ' '), NULL) : -1;
}

static inline double count(const char *name)
{
	char family[100];

	(void)snprintf(family, sizeof(family), "echom_%s{", name);
	return figure(family);
}

static inline void expect_counts(double sent, double received, double lost)
{
	ck_assert_str_eq(status_of(&question), HTTP_OK);
	ck_assert_double_eq(count("probes_sent_total"), sent);
	ck_assert_double_eq(count("probes_received_total"), received);
	ck_assert_double_eq(count("probes_lost_total"), lost);
	ck_assert_double_eq(count("probes_outstanding"), sent - received - lost);
	ck_assert_double_eq(figure("probe_success"), received > 0);
}

static inline const char *ask_and_hear(const char *query)
{
	ask(&question, query);
	return hear_answer(&question);
}

static inline void expect_refusal(const struct question *refused, const char *status,
				  const char *why)
{
	ck_assert_str_eq(status_of(refused), status);
	ck_assert_ptr_nonnull(strstr(refused->bytes, why));
	ck_assert_ptr_null(refused->reply.stream.more);
}
