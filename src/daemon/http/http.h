/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A web server just large enough for metrics: GET and HEAD, one answer a connection, and a bound on
 * everything that a client could use up: 16 connections, 5 seconds each from accept to close,
 * memory that is taken once. Runs on the control thread; owns its connections, which end by
 * themselves.
 */

#ifndef DAEMON_HTTP_HTTP_H
#define DAEMON_HTTP_HTTP_H

#include "base/bounded_text.h"
#include "base/compiler.h"

struct event_base;
struct http;

/* Further ones take the place of the oldest that has not asked yet, or wait for one. */
#define HTTP_CLIENTS_MAX 16

/* The longest body of an answer. */
#define HTTP_BODY_MAX (128 * 1024)

#define HTTP_OK "200 OK"
#define HTTP_FORBIDDEN "403 Forbidden"
#define HTTP_NOT_FOUND "404 Not Found"
#define HTTP_UNAVAILABLE "503 Service Unavailable"

/* HTTP_OK, plain text and an empty body when the handler gets it; for an empty body, the status. */
struct http_reply {
	const char *status;
	const char *type;
	struct bounded_text body;
};

struct http_handler {
	/* A request has come. It waits until http_answer is called, which may be at once. */
	void (*asked)(void *arg);
	/* PATH begins with / and comes without its query. Must not wait. */
	void (*answer)(void *arg, const char *path, struct http_reply *reply);
};

/*
 * Serves who connects to FD, which listens and does not block. LOOPBACK_ONLY: who asks for another
 * host is refused. NULL: no memory.
 */
struct http *http_new(struct event_base *base, int fd, bool loopback_only,
		      const struct http_handler *handler, void *arg) WARN_UNUSED;
void http_free(struct http *http);

/* Answers all requests that have come so far. */
void http_answer(struct http *http);

#endif
