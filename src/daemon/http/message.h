/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Parses and writes the parts of HTTP/1.0 that http.c needs. No I/O. */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bounded_text.h"
#include "base/compiler.h"

#define HTTP_HEADER_MAX 512

#define HTTP_OK "200 OK"
#define HTTP_BAD_REQUEST "400 Bad Request"
#define HTTP_FORBIDDEN "403 Forbidden"
#define HTTP_NOT_FOUND "404 Not Found"
#define HTTP_UNAVAILABLE "503 Service Unavailable"

struct http_request {
	const struct address *peer;
	struct http *http;     /* for http_resume */
	const char *path;      /* begins with / and has no query */
	const char *query;     /* what follows the ? after it; "" if there is none: see query.h */
	const char *authority; /* HOST[:PORT] of an absolute target; NULL: see the headers */
	const char *headers;
};

struct address;
struct http;
struct http_reply;

enum http_stream_state {
	HTTP_STREAM_MORE, /* call again */
	HTTP_STREAM_WAIT, /* nothing was written: call again after http_resume */
	HTTP_STREAM_END
};

/*
 * Makes the rest of a reply in pieces, through the same buffer. Such a reply has no length, unless
 * its first piece is the last; it may take 30 seconds, and ends with the connection. A client that
 * closes its side while the stream waits ends it.
 */
struct http_stream {
	/*
	 * Writes the next piece to the body of REPLY, which is empty: once the one before has been
	 * sent, or in the next turn of the loop if it wrote nothing. At most one stream is called
	 * in each turn. The status counts until the first piece that is not empty. Never called
	 * for HEAD.
	 */
	enum http_stream_state (*more)(void *context, struct http_reply *reply);
	/* Called exactly once: at the end of the reply, or of the connection if that is earlier. */
	void (*done)(void *context);
	void *context;
	unsigned wait_s; /* how long it may wait in all, beside the 30 seconds; 0: it never does */
};

/* HTTP_OK, plain text and an empty body at first; for an empty body, the status. */
struct http_reply {
	const char *status;
	const char *type;
	struct bounded_text body;
	struct http_stream stream; /* continues the body; none unless a page sets it */
};

/* Where it begins: an empty line may come first. */
char *http_request_start(char *request);

/* True once the empty line at its end has arrived. */
bool http_request_complete(char *request);

/* Parses the request line in place. Returns HTTP_OK or the status of the error. */
const char *http_request_parse(char *text, struct http_request *request);

/*
 * The value of the first header NAME at or after LINES, with its length and without blanks around
 * it; NULL: there is none. The search for another goes on at the end of the value.
 */
const char *http_header_find(const char *lines, const char *name, size_t *length);

/* Copies the value of the first header NAME; false, and "": there is none, or SIZE is too small. */
bool http_header(const struct http_request *request, const char *name, char *value,
		 size_t size) WARN_UNUSED;

/* Writes the headers of a reply, and returns their length. */
size_t http_header_write(char header[static HTTP_HEADER_MAX], const struct http_reply *reply);
