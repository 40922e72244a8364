/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One probing on demand, from the lookup of the name to the answer: a watch that ends. Owned by
 * on_demand.c; frees itself of nothing before probing_free.
 */

#pragma once

#include <stdbool.h>

#include "base/compiler.h"

struct demand;
struct http_reply;
struct names;
struct probing;
struct watching;
struct watchlist;

struct probing_setup {
	struct watching *shared; /* not owned, as all of these */
	struct names *names;
	const struct watchlist *list; /* for the networks */
	/* Called when it is over, maybe before probing_new returns. Must not free it. */
	void (*over)(void *context);
	void *context;
};

/* Begins at once. NULL without memory. */
struct probing *probing_new(const struct probing_setup *setup,
			    const struct demand *demand) WARN_UNUSED;
void probing_free(struct probing *probing); /* at any time; accepts NULL */

bool probing_is_over(const struct probing *probing);

/* Of one that is over: the metrics, or the status and the reason for which there are none. */
void probing_report(const struct probing *probing, struct http_reply *reply);
