/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Which waits are tried, and what follows from them. */

#include "config.h"

#include "echoc/idle/memory.h"
#include "support/test.h"

static struct memory memory;
static uint64_t waits[WAITS_MAX];

static void set_up(void)
{
	memory = (struct memory){0};
}

static void enter(uint64_t seconds, enum memory_fate fate)
{
	memory_enter(&memory, seconds * NS_PER_S, fate);
}

TEST_CASE("memory", set_up, NULL);

TEST(waits_are_a_quarter_longer_each_up_to_the_last)
{
	size_t count = memory_waits(10 * NS_PER_S, waits);

	ck_assert_uint_eq(count, 5);
	ck_assert_uint_eq(waits[0], 5 * NS_PER_S);
	ck_assert_uint_eq(waits[1], 6250 * NS_PER_MS);
	ck_assert_uint_eq(waits[4], 10 * NS_PER_S);
	ck_assert_uint_eq(memory_waits(NS_PER_S, waits), 1);
	ck_assert_uint_eq(waits[0], NS_PER_S);
	count = memory_waits(86400 * NS_PER_S, waits);
	ck_assert_uint_lt(count, WAITS_MAX);
	ck_assert_uint_eq(waits[count - 1], 86400 * NS_PER_S);
}

TEST(what_is_kept_and_what_is_forgotten_bound_the_memory)
{
	enter(5, FATE_KEPT);
	enter(10, FATE_KEPT);
	enter(20, FATE_FORGOTTEN);
	ck_assert_uint_eq(memory.kept, 10 * NS_PER_S);
	ck_assert_uint_eq(memory.forgotten, 20 * NS_PER_S);
	ck_assert_uint_eq(memory_waits_between(&memory, waits), WAITS_BETWEEN);
	ck_assert_uint_eq(waits[0], 11250 * NS_PER_MS);
	ck_assert_uint_eq(waits[6], 18750 * NS_PER_MS);
	enter(15, FATE_FORGOTTEN);
	enter(12, FATE_KEPT);
	ck_assert_uint_eq(memory.kept, 12 * NS_PER_S);
	ck_assert_uint_eq(memory.forgotten, 15 * NS_PER_S);
	ck_assert_uint_eq(memory_keep_alive(&memory), 6 * NS_PER_S);
}

/* By chance it got the same port again. */
TEST(what_is_kept_for_longer_than_another_is_no_bound)
{
	enter(10, FATE_KEPT);
	enter(20, FATE_KEPT);
	enter(15, FATE_FORGOTTEN);
	ck_assert_uint_eq(memory.kept, 0);
	enter(12, FATE_KEPT);
	enter(30, FATE_KEPT);
	ck_assert_uint_eq(memory.kept, 12 * NS_PER_S);
	ck_assert_uint_eq(memory.forgotten, 15 * NS_PER_S);
}

TEST(without_both_bounds_there_is_nothing_between)
{
	enter(10, FATE_KEPT);
	ck_assert_uint_eq(memory_waits_between(&memory, waits), 0);
	ck_assert_uint_eq(memory_keep_alive(&memory), 0);
	set_up();
	enter(5, FATE_FORGOTTEN);
	ck_assert_uint_eq(memory_waits_between(&memory, waits), 0);
	ck_assert_uint_eq(memory_keep_alive(&memory), 2500 * NS_PER_MS);
}

TEST(closed_connections_need_to_be_kept_alive_too)
{
	enter(10, FATE_KEPT);
	enter(30, FATE_CLOSED);
	enter(31, FATE_CLOSED);
	ck_assert_uint_eq(memory.closed, 30 * NS_PER_S);
	ck_assert_uint_eq(memory.forgotten, 0);
	ck_assert_uint_eq(memory_keep_alive(&memory), 5 * NS_PER_S);
}

TEST(what_is_not_answered_says_nothing)
{
	enter(10, FATE_UNANSWERED);
	enter(20, FATE_PATH_DOWN);
	ck_assert_uint_eq(memory.answered, 1);
	ck_assert_uint_eq(memory.unclear, 1);
	ck_assert_uint_eq(memory.kept, 0);
	ck_assert_uint_eq(memory.forgotten, 0);
}
