/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Deadlines for very many things that hardly ever reach them: a wheel of slots on one libevent
 * timer. Filing, moving and removing cost the same however many there are, a message touches
 * nothing here: when an item's slot comes up the owner is asked for its true deadline, and it is
 * filed again. The wheel owns its slots; the items are embedded in what their owner allocates.
 */

#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/lists.h"

struct event_base;
struct wheel;

struct wheel_item {
	LIST_ENTRY(wheel_item) link;
};

/* What a visit returns when the item is gone (its owner removed and freed it). */
#define WHEEL_GONE INT64_MIN

/*
 * Called when an item may be due: returns its deadline (clock_ms), later than now, to be filed
 * again, or WHEEL_GONE.
 */
typedef int64_t wheel_visit(struct wheel_item *item, int64_t now, void *arg);

/* NULL when there is no memory. */
struct wheel *wheel_new(struct event_base *base, wheel_visit *visit, void *arg) WARN_UNUSED;
void wheel_free(struct wheel *wheel); /* the items must be gone */

/* Files an item that is not filed yet. It is visited at most a quarter of a second after WHEN. */
void wheel_add(struct wheel *wheel, struct wheel_item *item, int64_t when);
void wheel_move(struct wheel *wheel, struct wheel_item *item, int64_t when);
void wheel_remove(struct wheel *wheel, struct wheel_item *item);

/*
 * Calls back with every item; the callback may remove that item or move it (and then see it twice).
 */
void wheel_each(struct wheel *wheel, void (*call)(struct wheel_item *item, void *arg), void *arg);
