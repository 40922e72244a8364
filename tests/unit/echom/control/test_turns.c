/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The loop pauses exactly when it may, and ends when a callback breaks it or it cannot go on. */

#include "config.h"

#include <event2/event.h>

#include "base/compiler.h"
#include "base/events.h"
#include "echom/control/turns.h"
#include "support/test.h"

#define TURNS 20

static struct event_base *base;
static struct event *again;
static const struct timeval at_once = {0};
static unsigned turns;
static unsigned pauses; /* of a millisecond */
static bool allowed;

/* Takes its place: what is asked for is what counts, not how long it takes here. */
int nanosleep(const struct timespec *duration, struct timespec *rest UNUSED)
{
	ck_assert_int_eq(duration->tv_sec, 0);
	ck_assert_int_eq(duration->tv_nsec, NS_PER_MS);
	pauses++;
	return 0;
}

static bool may_pause(void *context)
{
	ck_assert_ptr_eq(context, &allowed);
	return allowed;
}

static void on_turn(evutil_socket_t fd UNUSED, short what UNUSED, void *context UNUSED)
{
	event_add(again, &at_once);
	if (++turns == TURNS)
		event_base_loopbreak(base);
}

static void set_up(void)
{
	base = events_new_base(0);
	again = evtimer_new(base, on_turn, NULL);
	event_add(again, &at_once);
	turns = pauses = 0;
}

static void tear_down(void)
{
	event_free(again);
	event_base_free(base);
}

TEST_CASE("turns", set_up, tear_down);

TEST(each_turn_but_the_last_is_followed_by_a_pause_that_is_allowed)
{
	allowed = true;
	ck_assert_int_eq(turns_run(base, may_pause, &allowed), 0);
	ck_assert_uint_eq(turns, TURNS);
	ck_assert_uint_eq(pauses, TURNS - 1);
}

TEST(there_is_no_pause_that_is_not_allowed)
{
	allowed = false;
	ck_assert_int_eq(turns_run(base, may_pause, &allowed), 0);
	ck_assert_uint_eq(turns, TURNS);
	ck_assert_uint_eq(pauses, 0);
}

TEST(a_loop_without_events_is_broken)
{
	event_del(again);
	ck_assert_int_eq(turns_run(base, may_pause, &allowed), -1);
}
