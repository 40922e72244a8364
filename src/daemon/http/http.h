/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A minimal web server for metrics: GET and HEAD, one response per connection, and limits on
 * everything that clients could exhaust: 16 connections, 5 seconds each from accept to close, or 30
 * for a reply in pieces, memory allocated once. A reply may also wait for something, longer and
 * beside the 16, where the site allows for it. Runs on the control thread; owns its connections,
 * which end by themselves.
 */

#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "daemon/http/site.h"

struct event_base;
struct http;

/* Further clients replace the oldest one without a request, or wait. */
#define HTTP_CLIENTS_MAX 16

/*
 * Serves clients of FD, which listens and does not block. LOOPBACK_ONLY: requests for another host
 * are refused. NULL: no memory.
 */
struct http *http_new(struct event_base *base, int fd, bool loopback_only,
		      const struct http_site *site, void *arg) WARN_UNUSED;
void http_free(struct http *http);

/* A reply is being made or sent. */
bool http_is_sending(const struct http *http);

/* Responds to all requests received so far. */
void http_answer(struct http *http);

/* In the next turn of the loop the stream of CONTEXT is called again, if it waits. */
void http_resume(struct http *http, const void *context);
