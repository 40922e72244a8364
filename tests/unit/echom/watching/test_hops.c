/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Hops of each way, of far sides that choose the TTL of replies themselves and that lower it. */

#include "config.h"

#include "echom/watching/hops.h"
#include "support/test.h"

#define TTL 255

static struct hops hops;
static uint64_t number;
static int there, back; /* the routers on the way */

static void set_up(void)
{
	hops_begin(&hops);
	number = 0;
	there = 5;
	back = 7;
}

TEST_CASE("hops", set_up, NULL);

/* COUNT packets to a far side that begins replies with OWN, or else lowers, and SAYS what came. */
static void exchange(unsigned count, int own, bool says)
{
	for (; count > 0; count--, number++) {
		int came = TTL - hops_lowers(number) - there;

		hops_enter(&hops, number, (own > 0 ? own : came - 1) - back, says ? came : 0, TTL);
	}
}

static void lose(unsigned count)
{
	number += count;
}

static void expect(int expected_there, int expected_back)
{
	ck_assert_int_eq(hops.there, expected_there);
	ck_assert_int_eq(hops.back, expected_back);
}

TEST(the_way_there_is_what_the_far_side_says)
{
	expect(-1, -1);
	for (unsigned i = 0; i < 100; i++) {
		exchange(1, 64, true);
		ck_assert_int_eq(hops.there, 5);
	}
	exchange(1, 64, false);
	ck_assert_int_eq(hops.there, -1);
}

TEST(the_third_reply_tells_how_replies_begin)
{
	exchange(2, 0, true);
	expect(5, -1);
	exchange(1, 0, true);
	expect(5, 7);
	exchange(100, 0, true);
	expect(5, 7);
}

static const int owns[] = {64, 128, 255};

TEST_EACH(a_ttl_of_its_own_needs_no_reflector, ARRAY_SIZE(owns))
{
	exchange(3, owns[_i], false);
	expect(-1, 7);
}

TEST(one_that_lowers_and_says_nothing_tells_nothing)
{
	exchange(200, 0, false);
	expect(-1, -1);
}

TEST(what_was_lost_is_tried_again)
{
	exchange(1, 64, true);
	lose(1);
	exchange(10, 64, true);
	expect(5, -1);
	lose(10);
	exchange(20, 64, true);
	expect(5, 7);
}

/* The path changes around the packet that is compared: its neighbours differ. */
TEST(a_path_that_changes_meanwhile_proves_nothing)
{
	exchange(2, 64, true);
	back = 8;
	exchange(1, 64, true);
	expect(5, -1);
	exchange(20, 64, true);
	expect(5, 8);
}

TEST(a_longer_path_is_seen_at_once)
{
	exchange(100, 0, true);
	back = 9;
	there = 4;
	exchange(1, 0, true);
	expect(4, 9);
}

TEST(another_far_side_is_noticed_in_the_end)
{
	exchange(100, 64, true);
	exchange(5000, 0, true);
	expect(5, 7);
	ck_assert_int_eq(hops.kind, REPLY_TTL_LOWERED);
}

TEST(few_packets_leave_with_less)
{
	unsigned count = 0;

	for (uint64_t i = 0; i < 100000; i++)
		count += hops_lowers(i);
	ck_assert_uint_eq(count, 4 + 24);
}

static const struct {
	int ttl, far_ttl, there, back;
} oddities[] = {
	{-1, 250, 5, 60}, /* the TTL of the reply is not known: as before */
	{0, 250, 5, 60},  {4, 0, -1, 60},  {64, 256, -1, 0}, /* more than it left with */
	{255, 1, 254, 0}, {1, 255, 0, 63},
};

TEST_EACH(no_ttl_makes_hops_negative, ARRAY_SIZE(oddities))
{
	exchange(3, 64, true);
	hops_enter(&hops, 4, 4, 250, TTL);
	ck_assert_int_eq(hops.back, 60);
	hops_enter(&hops, 5, oddities[_i].ttl, oddities[_i].far_ttl, TTL);
	expect(oddities[_i].there, oddities[_i].back);
}
