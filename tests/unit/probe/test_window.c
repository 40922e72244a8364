/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The ring of what was sent lately: its room, its oldest, how far back it looks. */

#include "config.h"

#include "probe/window.h"
#include "support/test.h"
#include "unit/faults.h"

#define FAR 4096

static struct window window;

static void open_window(size_t room, uint64_t sent)
{
	ck_assert_int_eq(window_init(&window, room), 0);
	for (uint64_t now = 1; now <= sent; now++)
		ck_assert_uint_eq(window_push(&window, now), now);
}

static void close_window(void)
{
	window_clear(&window);
}

TEST_CASE("window", NULL, close_window);

TEST(no_memory_is_reported)
{
	fault_next(MEMORY, ENOMEM);
	ck_assert_int_eq(window_init(&window, 16), -1);
	ck_assert(fault_over());
}

TEST_EACH(there_is_as_much_room_as_was_asked_for, 5)
{
	size_t room = (size_t)1 << _i;

	open_window(room, room - 1);
	ck_assert(!window_full(&window));
	ck_assert_uint_eq(window_push(&window, 99), room);
	ck_assert(window_full(&window));
}

TEST(the_oldest_is_the_first_that_still_waits)
{
	open_window(8, 3);
	window_settle(&window, 2, SLOT_LOST);
	ck_assert_uint_eq(window.oldest, 1);
	window_answer(&window, 1, 1, 1);
	ck_assert_uint_eq(window.oldest, 3);
}

/* A server that alters everything must not cost too much. */
TEST(what_was_sent_long_ago_is_not_looked_for)
{
	open_window(2 * FAR, FAR + 1);
	ck_assert_uint_eq(window_find(&window, 2, window.next), 2);
	ck_assert_uint_eq(window_find(&window, 1, window.next), 0);
}
