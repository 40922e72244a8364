/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A wheel of 1024 slots, a quarter of a second each. A deadline beyond its 256 seconds waits in the
 * farthest slot and is filed again from there, which costs a visit every four minutes instead of a
 * second level. Used by one worker for the timeouts of all its connections.
 */

#include "config.h"

#include "echod/serving/wheel.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/events.h"

#define SLOTS 1024
#define SLOT_MS 250
#define WORD_BITS 64

/* More visits than this in one turn would keep the loop from its clients. */
#define VISITS_PER_TURN 4096

/* In place of the slot that the timer waits for. */
#define NOT_ARMED INT64_MAX
#define TURNING INT64_MIN /* no slot is earlier, so filing does not arm it */

LIST_HEAD(slot, wheel_item);

struct wheel {
	struct event timer;
	wheel_visit *visit;
	void *arg;
	size_t filed;
	int64_t hand;  /* the next slot to look at, counted from the clock's zero */
	int64_t armed; /* the slot that the timer waits for */
	uint64_t used[SLOTS / WORD_BITS]; /* slots that may hold something */
	struct slot slots[SLOTS];
};

static void arm(struct wheel *wheel, int64_t slot)
{
	int64_t wait = slot * SLOT_MS - clock_ms();
	struct timeval tv = timeval_from_ms(wait > 0 ? (uint64_t)wait : 0);

	/* Without memory for the timer nothing fires until the next item is filed: try then. */
	wheel->armed = event_add(&wheel->timer, &tv) == 0 ? slot : NOT_ARMED;
}

static bool slot_used(const struct wheel *wheel, int64_t slot)
{
	return wheel->used[slot % SLOTS / WORD_BITS] >> (slot % WORD_BITS) & 1;
}

static void arm_next(struct wheel *wheel)
{
	wheel->armed = NOT_ARMED;
	for (int64_t slot = wheel->hand; slot < wheel->hand + SLOTS; slot++) {
		if (slot_used(wheel, slot)) {
			arm(wheel, slot);
			return;
		}
	}
}

static void file(struct wheel *wheel, struct wheel_item *item, int64_t when)
{
	int64_t farthest = wheel->hand + SLOTS - 1;
	int64_t slot = wheel->hand;

	if (when / SLOT_MS >= farthest)
		slot = farthest;
	else if (when / SLOT_MS >= wheel->hand)
		slot = when / SLOT_MS + 1;
	wheel->used[slot % SLOTS / WORD_BITS] |= UINT64_C(1) << (slot % WORD_BITS);
	LIST_INSERT_HEAD(&wheel->slots[slot % SLOTS], item, link);
	if (slot < wheel->armed)
		arm(wheel, slot);
}

/* Visits what is in one slot; false when the turn's share was used up before the slot was empty. */
static bool visit_slot(struct wheel *wheel, int64_t now, unsigned *left)
{
	struct slot *slot = &wheel->slots[wheel->hand % SLOTS];
	uint64_t bit = UINT64_C(1) << (wheel->hand % WORD_BITS);
	struct wheel_item *item;
	int64_t next;

	while ((item = LIST_FIRST(slot)) != NULL) {
		if ((*left)-- == 0)
			return false;
		next = wheel->visit(item, now, wheel->arg);
		if (next != WHEEL_GONE)
			wheel_move(wheel, item, next > now ? next : now + SLOT_MS);
	}
	wheel->used[wheel->hand % SLOTS / WORD_BITS] &= ~bit;
	return true;
}

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *arg)
{
	struct wheel *wheel = arg;
	int64_t now = clock_ms();
	unsigned left = VISITS_PER_TURN;

	wheel->armed = TURNING;
	while (wheel->hand * SLOT_MS <= now) {
		if (slot_used(wheel, wheel->hand) && !visit_slot(wheel, now, &left))
			break;
		wheel->hand++;
	}
	arm_next(wheel);
}

struct wheel *wheel_new(struct event_base *base, wheel_visit *visit, void *arg)
{
	struct wheel *wheel = calloc(1, sizeof(*wheel));

	if (!wheel)
		return NULL;
	wheel->visit = visit;
	wheel->arg = arg;
	wheel->hand = clock_ms() / SLOT_MS;
	wheel->armed = NOT_ARMED;
	event_assign(&wheel->timer, base, -1, 0, on_timer, wheel);
	return wheel;
}

void wheel_free(struct wheel *wheel)
{
	if (!wheel)
		return;
	event_del(&wheel->timer);
	free(wheel);
}

void wheel_add(struct wheel *wheel, struct wheel_item *item, int64_t when)
{
	/* After a quiet time the hand is far behind; it may jump where there is nothing to miss. */
	if (wheel->filed++ == 0 && wheel->armed != TURNING)
		wheel->hand = clock_ms() / SLOT_MS;
	file(wheel, item, when);
}

void wheel_move(struct wheel *wheel, struct wheel_item *item, int64_t when)
{
	LIST_REMOVE(item, link);
	file(wheel, item, when);
}

void wheel_remove(struct wheel *wheel, struct wheel_item *item)
{
	wheel->filed--;
	LIST_REMOVE(item, link);
}

void wheel_each(struct wheel *wheel, void (*call)(struct wheel_item *item, void *arg), void *arg)
{
	struct wheel_item *item, *next;

	for (int slot = 0; slot < SLOTS; slot++) {
		for (item = LIST_FIRST(&wheel->slots[slot]); item; item = next) {
			next = LIST_NEXT(item, link);
			call(item, arg);
		}
	}
}
