/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What echom serves over HTTP: /metrics, /healthz, /probe and the page. Owns the HTTP server. */

#pragma once

#include <stdbool.h>

#include "base/address.h"
#include "base/compiler.h"
#include "daemon/http/site.h"

struct event_base;
struct site;
struct watches;

/* Descriptors that a process needs beside those of its targets. */
#define SITE_DESCRIPTORS 128

/* How /probe is answered, and to how many at a time. */
struct site_probe {
	http_page *page;
	void *arg;
	unsigned max;
};

/* FD listens at BOUND, and stays the caller's. NULL without memory. */
struct site *site_new(struct event_base *base, int fd, const struct address *bound,
		      const struct watches *watches, const struct site_probe *probe) WARN_UNUSED;
void site_free(struct site *site); /* accepts NULL */

/* A reply is on its way out. */
bool site_is_sending(const struct site *site);
