/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a program serves over HTTP: which function writes the page of which path. */

#pragma once

#include "daemon/http/message.h"

/* The most that a page or a piece of it can be long. */
#define HTTP_BODY_MAX (128 * 1024)

/* Must not wait. REQUEST is gone when it returns. */
typedef void http_page(void *arg, const struct http_request *request, struct http_reply *reply);

struct http_path {
	const char *path;
	http_page *page;
};

struct http_site {
	/* How many replies may wait at a time, beside the other clients; the pages see to it. */
	unsigned waiting_max;
	/* A request waits until http_answer is called. NULL: it is answered at once. */
	void (*asked)(void *arg);
	/* The last one has no path, and its page, if any, is that of all others. */
	const struct http_path *paths;
};
