/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The ring of what was sent lately. Owns its slots until window_clear; each flow has one.
 */

#include "config.h"

#include "window.h"

#include <assert.h>
#include <stdlib.h>

/* How far back window_find looks: a server that alters everything must not cost too much. */
#define FIND_MAX 4096

int window_init(struct window *window, size_t capacity)
{
	size_t size = 1;

	while (size < capacity)
		size *= 2;
	*window = (struct window){.mask = size - 1, .oldest = 1, .next = 1};
	window->slots = malloc(size * sizeof(*window->slots));
	if (!window->slots)
		return -1;
	for (size_t i = 0; i < size; i++)
		window->slots[i] = SLOT_LOST;
	return 0;
}

void window_clear(struct window *window)
{
	free(window->slots);
	window->slots = NULL;
}

uint64_t window_push(struct window *window, uint64_t time)
{
	assert(!window_full(window));
	window->slots[window->next & window->mask] = time << 2 | SLOT_WAITING;
	window->waiting++;
	return window->next++;
}

void window_settle(struct window *window, uint64_t sequence, enum slot_state state)
{
	uint64_t *slot = &window->slots[sequence & window->mask];

	assert(window_holds(window, sequence) && (*slot & 3) == SLOT_WAITING);
	*slot = (*slot & ~UINT64_C(3)) | state;
	window->waiting--;
	while (window->oldest < window->next &&
	       window_state(window, window->oldest) != SLOT_WAITING)
		window->oldest++;
}

uint64_t window_find(const struct window *window, uint64_t time)
{
	uint64_t sequence = window->next - 1;

	for (unsigned i = 0; i < FIND_MAX && window_holds(window, sequence); i++, sequence--) {
		if (window_time(window, sequence) == time)
			return sequence;
	}
	return 0;
}
