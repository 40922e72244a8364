/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See http_message.h. */

#include "config.h"

#include "http_message.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char version[] = "HTTP/1.";

bool http_request_complete(const char *request)
{
	return strstr(request, "\n\r\n") != NULL || strstr(request, "\n\n") != NULL;
}

const char *http_request_parse(char *request, const char **path)
{
	char *rest = request, *method, *target;

	request[strcspn(request, "\r\n")] = '\0';
	method = strsep(&rest, " ");
	target = rest ? strsep(&rest, " ") : NULL;
	if (!rest || strncmp(rest, version, strlen(version)) != 0 || target[0] != '/')
		return "400 Bad Request";
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return "405 Method Not Allowed";
	target[strcspn(target, "?#")] = '\0';
	*path = target;
	return HTTP_OK;
}

/* A browser shall run and load nothing, and neither keep what it was shown nor guess what it is. */
size_t http_header_write(char header[static HTTP_HEADER_MAX], const struct http_reply *reply)
{
	int length = snprintf(header, HTTP_HEADER_MAX,
			      "HTTP/1.0 %s\r\n"
			      "Content-Type: %s\r\n"
			      "Content-Length: %zu\r\n"
			      "Allow: GET, HEAD\r\n"
			      "Cache-Control: no-store\r\n"
			      "Content-Security-Policy: default-src 'none'; "
			      "style-src 'unsafe-inline'\r\n"
			      "X-Content-Type-Options: nosniff\r\n"
			      "Connection: close\r\n\r\n",
			      reply->status, reply->type, reply->body.length);

	assert(length > 0 && length < HTTP_HEADER_MAX);
	return (size_t)length;
}
