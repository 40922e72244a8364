/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Which way lost what, from paths that lose, duplicate and reorder on each way. */

#include "config.h"

#include "base/clock.h"
#include "probe/directional_loss.h"
#include "support/test.h"

static struct directional_loss loss;
static uint64_t now, sequence, there, back;
static uint32_t count;

static void set_up(void)
{
	memset(&loss, 0, sizeof(loss));
	now = NS_PER_S;
	sequence = count = 0;
}

static void enter(uint64_t of, uint32_t number, bool duplicate)
{
	const struct numbered_reply reply = {now += NS_PER_MS, of, number, duplicate};

	directional_loss_enter(&loss, &reply);
}

static void answered(unsigned times)
{
	while (times-- > 0)
		enter(sequence++, count++, false);
}

static void lost_there(unsigned times)
{
	sequence += times;
}

static void lost_back(unsigned times)
{
	sequence += times;
	count += times;
}

static void assert_split(uint64_t lost, uint64_t expected_there, uint64_t expected_back)
{
	ck_assert(directional_loss_split(&loss, lost, &there, &back));
	ck_assert_uint_eq(there, expected_there);
	ck_assert_uint_eq(back, expected_back);
}

TEST_CASE("directional_loss", set_up, NULL);

TEST(without_replies_nothing_is_known)
{
	assert_split(7, 0, 0);
}

TEST(without_losses_there_are_none)
{
	answered(5000);
	assert_split(0, 0, 0);
}

TEST(losses_are_of_the_way_that_lost_them)
{
	lost_there(2);
	answered(1);
	lost_back(1);
	answered(3);
	lost_back(2);
	lost_there(3);
	answered(1);
	assert_split(8, 5, 3);
}

TEST(what_is_lost_after_the_last_reply_is_of_neither)
{
	answered(3);
	lost_there(1);
	answered(1);
	lost_back(4);
	assert_split(5, 1, 0);
}

TEST(order_does_not_matter)
{
	enter(1, 0, false); /* overtaken on the way there */
	enter(0, 1, false);
	enter(4, 4, false); /* and on the way back; 3 was lost there */
	enter(2, 2, false);
	assert_split(2, 0, 1);
	enter(5, 5, false);
	assert_split(2, 0, 1);
}

TEST(the_very_first_may_come_last)
{
	enter(1, 1, false);
	enter(0, 0, false);
	assert_split(0, 0, 0);
}

/* At a time at which a far side that was silent until now would have forgotten. */
TEST(one_that_was_overtaken_on_the_way_there_begins_nothing)
{
	now = 100 * NS_PER_S;
	enter(0, 1, false);
	enter(1, 0, false);
	assert_split(0, 0, 0);
}

TEST(duplicates_are_no_probes)
{
	answered(2);
	enter(1, count++, true);   /* on the way there */
	enter(1, count - 1, true); /* on the way back */
	enter(0, 0, true);
	lost_there(1);
	lost_back(1);
	answered(1);
	assert_split(2, 1, 1);
}

TEST(a_duplicate_is_known_among_the_latest)
{
	answered(600);
	enter(590, 590, true);
	lost_back(1);
	answered(1);
	assert_split(1, 0, 1);
}

TEST(a_duplicate_is_known_among_the_latest_1024)
{
	answered(2000);
	for (uint32_t i = 2000 - COUNTS_REMEMBERED; i < 2000; i++)
		enter(i, i, true);
	lost_back(1);
	answered(1);
	assert_split(1, 0, 1);
}

TEST(a_late_reply_is_no_duplicate)
{
	answered(2000);
	lost_back(3);
	answered(1);
	for (uint32_t i = 2000; i < 2003; i++)
		enter(i, i, false);
	assert_split(0, 0, 0);
}

TEST(after_a_long_gap_all_is_new)
{
	answered(2000);
	lost_back(1500);
	answered(1);
	for (uint32_t i = 3501 - COUNTS_REMEMBERED; i < 3500; i++)
		enter(i, i, false);
	assert_split(1500, 0, 1500 - (COUNTS_REMEMBERED - 1));
}

TEST(a_first_reply_that_is_a_duplicate_was_not_answered_to_us)
{
	enter(0, 0, true);
	assert_split(1, 1, 0);
}

TEST(the_first_count_may_be_any)
{
	enter(0, 0x80000001, false);
	ck_assert(directional_loss_split(&loss, UINT64_MAX, &there, &back));
	ck_assert_uint_eq(there, 0);
	ck_assert_uint_eq(back, 0x80000001);
}

TEST(counts_wrap)
{
	const uint32_t leap = UINT32_MAX / 3; /* less than half the circle */

	loss.base = 10;
	sequence = 10;
	for (unsigned i = 0; i < 4; i++) {
		lost_back(leap);
		answered(1);
	}
	lost_there(3);
	answered(2);
	ck_assert(directional_loss_split(&loss, UINT64_MAX, &there, &back));
	ck_assert_uint_eq(there, 3);
	ck_assert_uint_eq(back, leap * UINT64_C(4));
}

TEST(a_session_may_be_begun_anew)
{
	answered(100);
	lost_there(2);
	answered(1);
	lost_back(70);
	now += 60 * NS_PER_S - NS_PER_MS;
	count = 0;
	answered(5);
	lost_there(1);
	lost_back(4);
	answered(5);
	assert_split(77, 3, 4);
}

TEST(the_first_reply_of_a_session_begun_anew_may_be_lost)
{
	answered(100);
	now += 61 * NS_PER_S;
	count = 0;
	lost_back(1);
	answered(5);
	lost_there(3);
	answered(1);
	assert_split(4, 3, 1);
}

TEST(a_session_of_one_answer_may_be_begun_anew)
{
	for (unsigned i = 0; i < 3; i++) {
		answered(1);
		now += 61 * NS_PER_S;
		count = 0;
	}
	assert_split(0, 0, 0);
}

TEST(what_goes_on_after_a_silence_is_not_begun_anew)
{
	answered(1);
	now += 61 * NS_PER_S;
	lost_there(1);
	answered(1);
	assert_split(1, 1, 0);
}

/* Both ways had kept one back. */
TEST(what_comes_late_after_a_silence_begins_nothing)
{
	answered(1);
	enter(1, 2, false);
	now += 61 * NS_PER_S;
	enter(1, 1, true);
	assert_split(0, 0, 0);
	sequence = 2;
	count = 3;
	lost_back(1);
	answered(5);
	now += 61 * NS_PER_S;
	enter(2, 3, false);
	assert_split(0, 0, 0);
}

TEST(a_long_session_may_be_begun_anew_at_once)
{
	answered(COUNTS_REMEMBERED + 1);
	lost_back(1);
	count = 0;
	answered(10);
	assert_split(1, 0, 0);
}

TEST_EACH(a_short_session_may_be_begun_anew_at_once, 3)
{
	static const unsigned before[] = {1, 2, 500};

	answered(before[_i]);
	lost_there(3); /* of neither way: the far side was away */
	count = 0;
	answered(600);
	lost_there(2);
	lost_back(1);
	answered(1);
	assert_split(6, 2, 1);
}

/* Its first answers were lost: what is seen first was seen before all the same. */
TEST(of_a_session_begun_anew_the_first_answers_may_be_lost)
{
	answered(500);
	count = 0;
	lost_back(2);
	answered(10);
	assert_split(2, 0, 2);
}

/* The same answer again, to a probe that had none in time, is no other one. */
TEST(an_answer_that_comes_twice_begins_nothing)
{
	answered(10);
	enter(sequence, 9, true);
	lost_back(1);
	answered(1);
	assert_split(1, 0, 1);
}

TEST(counts_that_cannot_be_of_these_probes_say_nothing)
{
	answered(10);
	count += 50; /* somebody else's */
	answered(10);
	ck_assert(!directional_loss_split(&loss, 3, &there, &back));
	ck_assert_uint_eq(there, 0);
	ck_assert_uint_eq(back, 0);
}

TEST(no_count_does_harm)
{
	static const uint32_t counts[] = {UINT32_MAX,	      0, INT32_MAX,
					  UINT32_MAX / 2 + 2, 1, 0x80000000};

	for (unsigned i = 0; i < 1000; i++)
		enter(i * 7 % 64, counts[i % ARRAY_SIZE(counts)] + i / 6, i % 5 == 0);
	(void)directional_loss_split(&loss, 10, &there, &back);
	ck_assert_uint_le(there + back, 10);
}
