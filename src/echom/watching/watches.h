/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * All watches, one for each target of the current list, spread evenly over their intervals. Owns
 * them and what they share.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "echom/config/watchlist.h"
#include "echom/watching/watch.h"

struct watches {
	struct watching shared;
	struct watch **items; /* in the order of the list */
	size_t count;
	uint64_t rate;	     /* of their probes, a second */
	uint64_t generation; /* of items: rises with each list */
};

/* NULL without memory. */
struct watches *watches_new(struct event_base *base) WARN_UNUSED;
void watches_free(struct watches *watches); /* accepts NULL */

/*
 * Watches what LIST names. Targets whose probes are as before keep their books. All or nothing: -1
 * without memory, and nothing has changed.
 */
int watches_set(struct watches *watches, struct watchlist *list) WARN_UNUSED;

/* How many targets are down. */
size_t watches_down(const struct watches *watches);
