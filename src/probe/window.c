/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The ring of what was sent lately. Owns its slots until window_clear; each flow has one.
 */

#include "config.h"

#include "probe/window.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* How far back window_find looks: a server that alters everything must not cost too much. */
#define FIND_MAX 4096

static size_t slots_of(size_t capacity)
{
	size_t size = 1;

	while (size < capacity)
		size *= 2;
	return size;
}

size_t window_memory(size_t capacity)
{
	return slots_of(capacity) * sizeof(uint64_t);
}

int window_init(struct window *window, size_t capacity)
{
	size_t size = slots_of(capacity);

	*window = (struct window){
		.mask = size - 1, .oldest = 1, .next = 1, .lag = size - 1, .behind = 1};
	window->slots = malloc(size * sizeof(*window->slots));
	if (!window->slots)
		return -1;
	memset(window->slots, 0, size * sizeof(*window->slots)); /* that the memory is there */
	return 0;
}

void window_clear(struct window *window)
{
	free(window->slots);
	window->slots = NULL;
}

static void skip_settled(struct window *window)
{
	while (window->oldest < window->next &&
	       window_state(window, window->oldest) != SLOT_WAITING)
		window->oldest++;
}

void window_settle(struct window *window, uint64_t sequence, enum slot_state state)
{
	uint64_t *slot = &window->slots[sequence & window->mask];

	assert(window_holds(window, sequence) && (*slot & 3) == SLOT_WAITING);
	*slot = window_packed(*slot >> 2, state);
	window->waiting--;
	window->overtaken -= sequence < window->behind;
	skip_settled(window);
}

void window_answer(struct window *window, uint64_t first, uint64_t count, uint64_t time)
{
	assert(count <= window->waiting);
	for (uint64_t i = 0; i < count; i++)
		window->slots[(first + i) & window->mask] = window_packed(time, SLOT_ANSWERED);
	window->waiting -= count;
	if (first < window->behind)
		window->overtaken -=
			count < window->behind - first ? count : window->behind - first;
	if (window->oldest == first)
		window->oldest += count;
	skip_settled(window);
}

uint64_t window_find(const struct window *window, uint64_t time, uint64_t before)
{
	for (uint64_t sequence = before - 1;
	     window_holds(window, sequence) && window->next - sequence <= FIND_MAX; sequence--) {
		if (window_time(window, sequence) == time)
			return sequence;
	}
	return 0;
}
