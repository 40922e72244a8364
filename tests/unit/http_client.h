/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * For tests of the web server: one on a free port of the loopback interface, and clients of it.
 * Both are in one thread: a function that waits turns the loop meanwhile.
 */

#pragma once

#include <event2/event.h>

#include "base/clock.h"
#include "daemon/http/http.h"
#include "support/test.h"

#define PATIENCE_MS 15000

static struct event_base *base;
static struct http *http;
static struct sockaddr_in address;
static int listener;
static unsigned requests;
static int turn_flags = EVLOOP_NONBLOCK; /* goes on until there is nothing to do */
static bool guarded;			 /* before set_up: requests for another host are refused */
static bool hold;			 /* requests wait until the test calls http_answer */
static char asked[4096];		 /* the path that was answered last, and its query */
static char query[4096];
static char answer[HTTP_BODY_MAX + 4096];

static inline void handle(void *arg, const struct http_request *request, struct http_reply *reply)
{
	const char *path = request->path;

	ck_assert_ptr_eq(arg, &requests);
	(void)snprintf(asked, sizeof(asked), "%s", path);
	(void)snprintf(query, sizeof(query), "%s", request->query);
	if (strcmp(path, "/ill") == 0)
		reply->status = HTTP_UNAVAILABLE;
	else if (strcmp(path, "/large") == 0)
		while (bounded_text_room(&reply->body) > 0)
			bounded_text_add(&reply->body, "x");
	else
		bounded_text_add(&reply->body, "body of %s", path);
}

/* Answers at once, or leaves it to the test. */
static inline void take(void *arg)
{
	ck_assert_ptr_eq(arg, &requests);
	requests++;
	if (!hold)
		http_answer(http);
}

static const struct http_path paths[] = {{"/none", NULL}, {NULL, handle}};
static const struct http_site site = {.asked = take, .paths = paths};

static inline void set_up(void)
{
	socklen_t length = sizeof(address);

	address = (struct sockaddr_in){.sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
	ck_assert_int_eq(listen(listener, 128), 0);
	base = event_base_new();
	http = http_new(base, listener, guarded, &site, &requests);
	ck_assert_ptr_nonnull(http);
}

static inline void tear_down(void)
{
	http_free(http);
	event_base_free(base);
	close(listener);
}

static inline void turn(void)
{
	ck_assert_int_ge(event_base_loop(base, turn_flags), 0);
}

/* The last turn is when the time is over, even if the machine stalled for some of it. */
static inline void turn_for(int64_t ms)
{
	int64_t end = clock_ms() + ms;

	while (clock_ms() < end)
		turn();
	turn();
}

static inline void dial(int fd)
{
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

/* A client with room for RECEIVE bytes, or as much as usual when that is 0. */
static inline int client(int receive)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	if (receive > 0)
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive)),
				 0);
	dial(fd);
	turn();
	return fd;
}

static inline void say(int fd, const char *text)
{
	ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	turn();
}

/* All that comes until the end, which must not be a reset; closes FD. */
static inline const char *hear(int fd)
{
	int64_t give_up = clock_ms() + PATIENCE_MS;
	size_t length = 0;
	ssize_t got = -1;

	while (got != 0) {
		turn();
		got = recv(fd, answer + length, sizeof(answer) - 1 - length, 0);
		ck_assert_msg(got >= 0 || errno == EAGAIN, "%s", strerror(errno));
		length += got > 0 ? (size_t)got : 0;
		ck_assert(clock_ms() < give_up);
	}
	close(fd);
	turn();
	answer[length] = '\0';
	return answer;
}

static inline const char *ask(const char *request)
{
	int fd = client(0);

	asked[0] = '\0';
	say(fd, request);
	return hear(fd);
}

static inline bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static inline const char *body(void)
{
	const char *end = strstr(answer, "\r\n\r\n");

	ck_assert_ptr_nonnull(end);
	return end + 4;
}

/* Whether the server has ended it, in any way. */
static inline bool ended(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, MSG_PEEK);

	return got == 0 || (got < 0 && errno != EAGAIN);
}
