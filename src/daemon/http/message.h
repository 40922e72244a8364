/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The texts of HTTP/1.0, as far as http.c needs them. Touches memory only. */

#ifndef DAEMON_HTTP_MESSAGE_H
#define DAEMON_HTTP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bounded_text.h"

#define HTTP_HEADER_MAX 512

#define HTTP_OK "200 OK"
#define HTTP_FORBIDDEN "403 Forbidden"
#define HTTP_NOT_FOUND "404 Not Found"
#define HTTP_UNAVAILABLE "503 Service Unavailable"

struct http_request {
	const char *path;      /* begins with / and comes without its query */
	const char *authority; /* HOST[:PORT] of an absolute target; NULL: the headers name it */
	const char *headers;
};

/* HTTP_OK, plain text and an empty body at first; for an empty body, the status. */
struct http_reply {
	const char *status;
	const char *type;
	struct bounded_text body;
};

/* Where it begins: an empty line may come first. */
char *http_request_start(char *request);

/* The blank line has come. */
bool http_request_complete(char *request);

/* Takes the request line apart, in place. HTTP_OK, or the status of a refusal. */
const char *http_request_parse(char *text, struct http_request *request);

/* Writes the headers for a reply; how many bytes they are. */
size_t http_header_write(char header[static HTTP_HEADER_MAX], const struct http_reply *reply);

#endif
