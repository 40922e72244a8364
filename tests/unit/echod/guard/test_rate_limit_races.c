/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Workers that meet in the limiter at the worst of moments. The module is compiled in here, with an
 * exchange before which another worker can be let in, so that each meeting happens every time.
 */

#include "config.h"

#include "echod/guard/rate_limit.h"

#include <stdatomic.h>

#include "support/test.h"

/* What the other worker does before an exchange at MEETING_AT, once. */
static const void *meeting_at;
static void (*other_worker)(void);

static bool exchange(_Atomic int64_t *object, int64_t *expected, int64_t desired)
{
	if (object == meeting_at) {
		meeting_at = NULL;
		other_worker();
	}
	return atomic_compare_exchange_strong(object, expected, desired);
}

#undef atomic_compare_exchange_strong_explicit
#define atomic_compare_exchange_strong_explicit(object, expected, desired, success, failure)       \
	exchange(object, expected, desired)
#include "echod/guard/rate_limit.c" /* NOLINT(bugprone-suspicious-include) */

#define TAG 0x1234567890abcdef
#define START (1000 * SECOND)
#define RATE 1000

static struct rate_limit *limit;
static struct rate_grant others;
static uint64_t random_state;

static void set_up(void)
{
	limit = rate_limit_new();
	ck_assert_ptr_nonnull(limit);
	random_state = 1;
	meeting_at = NULL;
}

static void tear_down(void)
{
	rate_limit_free(limit);
}

static struct rate_grant take_from(const char *source, unsigned count)
{
	struct in6_addr ip;

	ck_assert_int_eq(inet_pton(AF_INET6, source, &ip), 1);
	return rate_limit_take(limit, TAG, &ip, RATE, count, START, &random_state);
}

static struct rate_grant take(unsigned count)
{
	return take_from("::ffff:192.0.2.1", count);
}

/* The place of the source that take() is about: found once it has one. */
static struct entry *entry_of_source(void)
{
	for (size_t i = 0; i < SETS; i++) {
		for (size_t way = 0; way < WAYS; way++) {
			if (atomic_load(&limit->sets[i].entries[way].source) != 0)
				return &limit->sets[i].entries[way];
		}
	}
	ck_abort_msg("there is no source");
}

static void other_takes_one(void)
{
	others = take(1);
}

static void other_takes_it_all(void)
{
	others = take(RATE);
}

static void another_source_floods(void)
{
	others = take_from("::ffff:192.0.2.2", 10 * RATE);
}

TEST_CASE("rate_limit_races", set_up, tear_down);

TEST(the_loser_of_a_race_for_a_place_is_answered)
{
	struct entry *place;

	/* Where this source will be, seen from a table that is like this one. */
	(void)take(1);
	place = entry_of_source();
	*place = (struct entry){0};
	meeting_at = &place->drained_at;
	other_worker = other_takes_one;
	ck_assert_uint_eq(take(3).allowed, 3);
	ck_assert_ptr_null(meeting_at);
	ck_assert_uint_eq(others.allowed, 1);
	ck_assert_ptr_eq(entry_of_source(), place);
}

TEST(workers_that_spend_at_once_do_not_spend_twice)
{
	unsigned granted;

	(void)take(1);
	meeting_at = &entry_of_source()->drained_at;
	other_worker = other_takes_it_all;
	granted = take(RATE).allowed;
	ck_assert_ptr_null(meeting_at);
	ck_assert_uint_ge(others.allowed, RATE - 1);
	/* The burst is gone; of what is over, one in eight. */
	ck_assert_uint_le(granted, RATE / 4);
}

TEST(workers_that_would_log_at_once_log_one_line)
{
	struct rate_grant grant;

	meeting_at = &limit->logged_at;
	other_worker = another_source_floods;
	grant = take(10 * RATE);
	ck_assert_ptr_null(meeting_at);
	ck_assert(others.log_due);
	ck_assert(!grant.log_due);
	/* The one that lost has its line another time. */
	ck_assert_int_eq(atomic_load(&limit->logged_at), START);
}
