/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See message.h. */

#include "config.h"

#include "daemon/http/message.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char version[] = "HTTP/1.";
static const char scheme[] = "http://";

/* The length of the line break at TEXT; 0 if there is none. */
static size_t line_break(const char *text)
{
	return text[0] == '\r' && text[1] == '\n' ? 2 : text[0] == '\n';
}

char *http_request_start(char *request)
{
	return request + line_break(request);
}

bool http_request_complete(char *request)
{
	const char *text = http_request_start(request);

	return line_break(text) > 0 || strstr(text, "\n\r\n") || strstr(text, "\n\n");
}

/* The path of http://HOST:PORT/PATH; other targets are returned unchanged. */
static const char *split_authority(char *target, struct http_request *request)
{
	char *authority, *path;

	if (strncasecmp(target, scheme, strlen(scheme)) != 0)
		return target;
	authority = target + strlen(scheme);
	path = strchr(authority, '/');
	if (!path) {
		request->authority = authority;
		return "/";
	}
	/* Moved over the slashes, to make room for the NUL. */
	memmove(authority - 1, authority, (size_t)(path - authority));
	path[-1] = '\0';
	request->authority = authority - 1;
	return path;
}

const char *http_request_parse(char *text, struct http_request *request)
{
	size_t length = strcspn(text, "\r\n");
	char *rest = text, *method, *target, *query;
	const char *path;

	*request = (struct http_request){.query = "",
					 .headers = text + length + (text[length] != '\0')};
	text[length] = '\0';
	method = strsep(&rest, " ");
	target = rest ? strsep(&rest, " ") : NULL;
	if (!rest || strncmp(rest, version, strlen(version)) != 0)
		return HTTP_BAD_REQUEST;
	target[strcspn(target, "#")] = '\0';
	query = target + strcspn(target, "?");
	if (*query) {
		*query = '\0';
		request->query = query + 1;
	}
	path = split_authority(target, request);
	if (path[0] != '/')
		return HTTP_BAD_REQUEST;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return "405 Method Not Allowed";
	request->path = path;
	return HTTP_OK;
}

const char *http_header_find(const char *lines, const char *name, size_t *length)
{
	size_t name_length = strlen(name);
	const char *value;

	while (strncasecmp(lines, name, name_length) != 0 || lines[name_length] != ':') {
		lines += strcspn(lines, "\n");
		if (!*lines++)
			return NULL;
	}
	value = lines + name_length + 1;
	value += strspn(value, " \t");
	*length = strcspn(value, "\r\n");
	while (*length > 0 && (value[*length - 1] == ' ' || value[*length - 1] == '\t'))
		(*length)--;
	return value;
}

bool http_header(const struct http_request *request, const char *name, char *value, size_t size)
{
	size_t length;
	const char *found = http_header_find(request->headers, name, &length);

	value[0] = '\0';
	if (!found || length >= size)
		return false;
	memcpy(value, found, length);
	value[length] = '\0';
	return true;
}

/* Browsers must not run scripts, load anything, cache the response or guess its type. */
size_t http_header_write(char header[static HTTP_HEADER_MAX], const struct http_reply *reply)
{
	char size[64] = "";
	int length;

	if (!reply->stream.more)
		(void)snprintf(size, sizeof(size), "Content-Length: %zu\r\n", reply->body.length);
	length = snprintf(header, HTTP_HEADER_MAX,
			  "HTTP/1.0 %s\r\n"
			  "Content-Type: %s\r\n"
			  "%s"
			  "Allow: GET, HEAD\r\n"
			  "Cache-Control: no-store\r\n"
			  "Content-Security-Policy: default-src 'none'; "
			  "style-src 'unsafe-inline'\r\n"
			  "X-Content-Type-Options: nosniff\r\n"
			  "Connection: close\r\n\r\n",
			  reply->status, reply->type, size);

	assert(length > 0 && length < HTTP_HEADER_MAX);
	return (size_t)length;
}
