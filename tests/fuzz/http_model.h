/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A second, simpler reading of an HTTP request, all of it at hand: which answer it has to get. Part
 * of fuzz_http.c, which compares.
 */

#pragma once

#include <stdbool.h>
#include <strings.h>

#include "daemon/http/http.h"
#include "fuzz/fuzz.h"

#define REQUEST_MAX 4096

static char *request;
static size_t request_size;
static size_t first; /* where the request line is: an empty one may come before it */

/* What the answer has to be. */
struct verdict {
	const char *status; /* NULL: there is none */
	const char *path;   /* NULL unless it is that of a page */
	size_t path_length;
	const char *query;
	size_t query_length;
	bool with_body;
};

static struct verdict verdict;

/* The first blank line within what may be taken, and before any NUL. */
static bool complete(void)
{
	size_t size = strnlen(request, REQUEST_MAX), line = first;

	for (size_t i = first; i < size; i++) {
		if (request[i] != '\n')
			continue;
		if (i == line || (i == line + 1 && request[line] == '\r'))
			return true;
		line = i + 1;
	}
	return false;
}

static bool starts(const char *text, const char *end, const char *with)
{
	size_t length = strlen(with);

	return (size_t)(end - text) >= length && memcmp(text, with, length) == 0;
}

/* METHOD /path[?query] HTTP/1.x, with one blank between them. */
static const char *judge_line(const char *line, const char *end)
{
	const char *target = memchr(line, ' ', (size_t)(end - line));
	const char *version = target ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;
	const char *query, *slash;
	bool no_path = false;

	if (version && strncasecmp(target + 1, "http://", 7) == 0) {
		slash = target + 8;
		while (slash < version && !strchr("/?#", *slash))
			slash++;
		no_path = *slash != '/';
		target = slash - 1;
	}
	if (!version || (target[1] != '/' && !no_path) || !starts(version + 1, end, "HTTP/1."))
		return "400 Bad Request";
	if (!starts(line, end, "GET ") && !starts(line, end, "HEAD "))
		return "405 Method Not Allowed";
	verdict.path = no_path ? "/" : target + 1;
	verdict.path_length = 1;
	query = target + 1 + strcspn(target + 1, "?# ");
	if (!no_path)
		verdict.path_length = (size_t)(query - verdict.path);
	verdict.query = query + (*query == '?');
	verdict.query_length = *query == '?' ? strcspn(verdict.query, "# ") : 0;
	return HTTP_OK;
}

static void judge(void)
{
	const char *line, *end;

	first = strncmp(request, "\r\n", 2) == 0 ? 2 : *request == '\n';
	line = request + first;
	end = line + strcspn(line, "\r\n");
	verdict = (struct verdict){.with_body = strncmp(line, "HEAD ", 5) != 0};
	if (complete())
		verdict.status = judge_line(line, end);
	else if (request_size >= REQUEST_MAX)
		verdict.status = "431 Request Header Fields Too Large";
}

/* What a page gets of the request. */
static void check_page(const struct http_request *page)
{
	FUZZ_CHECK(verdict.path && strlen(page->path) == verdict.path_length);
	FUZZ_CHECK(memcmp(page->path, verdict.path, verdict.path_length) == 0);
	FUZZ_CHECK(strlen(page->query) == verdict.query_length);
	FUZZ_CHECK(memcmp(page->query, verdict.query, verdict.query_length) == 0);
}
