/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What was sent lately on one flow: for each sequence its send time and whether it was answered. A
 * ring of fixed size, written in full when it is made, so that a run's memory does not grow.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"

/* Late: lost, and a reply came after all. */
enum slot_state { SLOT_WAITING, SLOT_ANSWERED, SLOT_LOST, SLOT_LATE };

struct window {
	uint64_t *slots; /* window_packed() */
	uint64_t mask;
	uint64_t oldest; /* nothing before it is waiting */
	uint64_t next;	 /* the sequence that is sent next; the first is 1 */
	uint64_t waiting;
	uint64_t lag;	    /* what waits with at least this many sent after it is overtaken: */
	uint64_t behind;    /* nothing from here on, */
	uint64_t overtaken; /* and this many before */
};

/* How many bytes a window of CAPACITY takes. */
size_t window_memory(size_t capacity);

/*
 * CAPACITY is rounded up to a power of two; the lag is one less, and may be lowered. -1 without
 * memory.
 */
int window_init(struct window *window, size_t capacity) WARN_UNUSED;
void window_clear(struct window *window);

/* What a slot holds. */
static inline uint64_t window_packed(uint64_t time, enum slot_state state)
{
	return time << 2 | state;
}

/* True when the next push would overwrite a sequence that still waits, which is the oldest. */
static inline bool window_full(const struct window *window)
{
	return window->next - window->oldest > window->mask;
}

/* Enters the next sequence, sent at TIME, and returns it. The window must not be full. */
static inline uint64_t window_push(struct window *window, uint64_t time)
{
	window->slots[window->next & window->mask] = window_packed(time, SLOT_WAITING);
	window->waiting++;
	window->next++;
	if (window->next - window->behind > window->lag) {
		window->overtaken +=
			(window->slots[window->behind & window->mask] & 3) == SLOT_WAITING;
		window->behind++;
	}
	return window->next - 1;
}

static inline bool window_holds(const struct window *window, uint64_t sequence)
{
	return sequence != 0 && sequence < window->next &&
	       window->next - sequence <= window->mask + 1;
}

/* Of a sequence that the window holds. */
static inline uint64_t window_time(const struct window *window, uint64_t sequence)
{
	return window->slots[sequence & window->mask] >> 2;
}

static inline enum slot_state window_state(const struct window *window, uint64_t sequence)
{
	return (enum slot_state)(window->slots[sequence & window->mask] & 3);
}

/* It is held, was sent at TIME, and waits. */
static inline bool window_awaits(const struct window *window, uint64_t sequence, uint64_t time)
{
	return window_holds(window, sequence) &&
	       window->slots[sequence & window->mask] == window_packed(time, SLOT_WAITING);
}

/* A sequence that waits was not sent before TIME. */
static inline void window_restamp(struct window *window, uint64_t sequence, uint64_t time)
{
	window->slots[sequence & window->mask] = window_packed(time, SLOT_WAITING);
}

/* How many can be pushed before the window is full. */
static inline uint64_t window_room(const struct window *window)
{
	return window->mask + 1 - (window->next - window->oldest);
}

/* A reply to a lost sequence came after all: the next one would be a duplicate. */
static inline void window_answer_late(struct window *window, uint64_t sequence)
{
	window->slots[sequence & window->mask] |= SLOT_LATE;
}

/* COUNT sequences from FIRST on, all of which it awaits with this TIME, were answered. */
void window_answer(struct window *window, uint64_t first, uint64_t count, uint64_t time);

/* A waiting sequence was answered, or is given up. */
void window_settle(struct window *window, uint64_t sequence, enum slot_state state);

/* The last sequence before BEFORE that was sent at TIME; 0 when none of the latest was. */
uint64_t window_find(const struct window *window, uint64_t time, uint64_t before);
