/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One watched target: the schedule of its probes, its socket, its books and its outages. Owned by
 * the set of watches; everything happens on the thread of its loop.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "echom/watching/watched.h"

/* What metrics and the page show of it at one moment. */
struct watch_state {
	uint64_t up; /* 0 or 1 */
	uint64_t outstanding;
	uint64_t outages;
	uint64_t outage_sum; /* nanoseconds, as all that follow */
	uint64_t outage_longest;
	uint64_t jitter;
	uint64_t replied_at;
	int64_t lost_on[WAYS]; /* these, and what follows: STATE_UNKNOWN, or not negative */
	int64_t hops[WAYS];
	int64_t dscp_changed[WAYS];
	int64_t flows_lossy;
};

#define STATE_UNKNOWN INT64_C(-1)

/*
 * A watch of target INDEX of LIST, whose first probe is due FRACTION of an interval from now.
 * NULL without memory.
 */
struct watch *watch_new(struct watching *shared, struct watchlist *list, size_t index,
			double fraction) WARN_UNUSED;
void watch_free(struct watch *watch); /* accepts NULL */

/*
 * A watch of the first target of LIST that looks up no name and ends: the probes that END allows
 * go to TARGET, the first of them at once. Without a target none are sent. NULL without memory.
 */
struct watch *watch_new_ending(struct watching *shared, struct watchlist *list,
			       const struct target *target, struct watch_end *end) WARN_UNUSED;

/* All probes of a watch that ends were sent and settled. */
bool watch_is_over(const struct watch *watch);

/* Its settings are now those of LIST, which differ in nothing that its probes depend on. */
void watch_adopt(struct watch *watch, struct watchlist *list, size_t index);

struct watch_state watch_state(const struct watch *watch);
