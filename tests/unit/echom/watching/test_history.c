/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The last hour of a target, and its latest outages. */

#include "config.h"

#include "echom/watching/history.h"
#include "support/test.h"

#define MINUTE (60 * NS_PER_S)
#define NOW (1000 * MINUTE)

TEST(a_minute_has_what_happened_in_it)
{
	struct history history = {0};

	history_received(&history, NOW, 10);
	history_received(&history, NOW + 1, 20);
	history_lost(&history, NOW + MINUTE);
	ck_assert_uint_eq(history_minute(&history, NOW + MINUTE, 0).lost, 1);
	ck_assert_uint_eq(history_minute(&history, NOW + MINUTE, 0).received, 0);
	ck_assert_uint_eq(history_minute(&history, NOW + MINUTE, 1).received, 2);
	ck_assert_uint_eq(history_minute(&history, NOW + MINUTE, 1).rtt_sum, 30);
	ck_assert_uint_eq(history_minute(&history, NOW + MINUTE, 2).received, 0);
}

TEST(minutes_without_probes_are_empty)
{
	struct history history = {0};

	for (uint64_t i = 0; i < HISTORY_MINUTES; i++)
		history_received(&history, NOW + i * MINUTE, 1);
	ck_assert_uint_eq(history_hour(&history, NOW + 59 * MINUTE).received, 60);
	history_lost(&history, NOW + 69 * MINUTE);
	ck_assert_uint_eq(history_hour(&history, NOW + 69 * MINUTE).received, 50);
	ck_assert_uint_eq(history_minute(&history, NOW + 69 * MINUTE, 9).received, 0);
	ck_assert_uint_eq(history_minute(&history, NOW + 69 * MINUTE, 10).received, 1);
}

TEST(an_hour_later_nothing_is_left)
{
	struct history history = {0};

	history_received(&history, NOW, 1);
	ck_assert_uint_eq(history_hour(&history, NOW + 59 * MINUTE).received, 1);
	ck_assert_uint_eq(history_hour(&history, NOW + 60 * MINUTE).received, 0);
	history_lost(&history, NOW + 60 * MINUTE);
	ck_assert_uint_eq(history_hour(&history, NOW + 60 * MINUTE).received, 0);
	ck_assert_uint_eq(history_hour(&history, NOW + 60 * MINUTE).lost, 1);
}

TEST(a_reply_from_before_the_latest_loss_erases_nothing)
{
	struct history history = {0};

	history_received(&history, NOW - MINUTE, 1);
	history_lost(&history, NOW);
	history_received(&history, NOW - 1, 1);
	ck_assert_uint_eq(history_hour(&history, NOW).received, 2);
	ck_assert_uint_eq(history_hour(&history, NOW).lost, 1);
}

TEST(the_latest_outages_are_kept)
{
	struct history history = {0};

	ck_assert_ptr_null(history_past(&history, 0));
	for (uint64_t i = 1; i <= HISTORY_OUTAGES + 2; i++)
		history_outage(&history, &(struct past_outage){.begin = i});
	ck_assert_uint_eq(history_past(&history, 0)->begin, HISTORY_OUTAGES + 2);
	ck_assert_uint_eq(history_past(&history, HISTORY_OUTAGES - 1)->begin, 3);
	ck_assert_ptr_null(history_past(&history, HISTORY_OUTAGES));
}
