/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Which flows of a run are called lossy, and what is concluded from that. */

#include "config.h"

#include <math.h>

#include "probe/lossy_flows.h"
#include "support/test.h"

#define FLOWS 64
#define PROBES 78

static struct flow_loss flows[FLOWS + 1]; /* the last is nobody's */

/* COUNT flows from FIRST on lost that many of PROBES. */
static void set(size_t first, size_t count, uint64_t lost)
{
	for (size_t i = first; i < first + count; i++)
		flows[i] = (struct flow_loss){.sent = PROBES, .lost = lost};
}

static void set_up(void)
{
	set(0, FLOWS, 0);
}

/* FLOW is in CLASS. */
static void expect(size_t flow, unsigned class)
{
	ck_assert_uint_eq(flows[flow].class, class);
}

TEST_CASE("lossy_flows", set_up);

TEST(without_a_loss_none_is_lossy)
{
	flows[0].class = flows[FLOWS - 1].class = 7; /* found before */
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 0);
	ck_assert_uint_eq(lossy_flows_classes(flows, FLOWS), 0);
	expect(0, 0);
	expect(FLOWS - 1, 0);
}

TEST(all_that_lose_all_are_found)
{
	set(0, 16, PROBES);
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 16);
	expect(0, 1);
	expect(15, 1);
	expect(16, 0);
	ck_assert_uint_eq(lossy_flows_classes(flows, FLOWS), 1);
}

TEST(two_lost_are_never_enough)
{
	for (size_t i = 0; i < FLOWS; i++)
		flows[i].sent = 1000000;
	flows[7] = (struct flow_loss){.sent = 2, .lost = LOSSY_LEAST - 1};
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 0);
	flows[7] = (struct flow_loss){.sent = 3, .lost = LOSSY_LEAST};
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 1);
	expect(7, 1);
}

/* The same number, where the others lose something, too. */
TEST(a_few_lost_may_be_chance)
{
	set(7, 1, 3);
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 0);
	set(7, 1, 5);
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 1);
	set(0, FLOWS, 1);
	set(7, 1, 5);
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 0);
}

TEST(what_all_lose_is_no_flows_fault)
{
	set(0, FLOWS, PROBES / 3);
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 0);
	set(0, FLOWS, PROBES);
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 0);
}

TEST(one_flow_has_none_to_compare_with)
{
	set(0, 1, PROBES);
	ck_assert_uint_eq(lossy_flows_find(flows, 1), 0);
	set(0, 1, 3);
	ck_assert_uint_eq(lossy_flows_find(flows, 1), 0);
}

/* Three lost of S by chance: (3 / S) to the third power, below 1 / 20000 from S = 82 on. */
TEST(the_chance_is_that_of_all_that_was_sent)
{
	flows[0] = (struct flow_loss){.sent = 3, .lost = 3};
	flows[1] = (struct flow_loss){.sent = 81 - 3};
	ck_assert_uint_eq(lossy_flows_find(flows, 2), 0);
	flows[1].sent = 82 - 3;
	ck_assert_uint_eq(lossy_flows_find(flows, 2), 1);
	expect(0, 1);
	expect(1, 0);
}

TEST(flows_that_sent_nothing_are_not_lossy)
{
	memset(flows, 0, sizeof(flows));
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 0);
	ck_assert_uint_eq(lossy_flows_find(flows, 0), 0);
}

/* 20 % stand out only once those of 100 % are no longer among the others. */
TEST(it_is_repeated_without_those_that_were_found)
{
	set(0, 32, PROBES);
	set(32, 4, PROBES / 5);
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 36);
	expect(0, 1);
	expect(32, 2);
	expect(36, 0);
	ck_assert_uint_eq(lossy_flows_classes(flows, FLOWS), 2);
}

TEST(the_order_of_flows_does_not_matter)
{
	set(0, 1, PROBES / 5);
	set(1, 32, PROBES);
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 33);
	expect(0, 2);
	expect(1, 1);
	expect(32, 1);
	ck_assert_uint_eq(lossy_flows_classes(flows, FLOWS), 2);
}

/* Half of the probes, as chance has it: the most is 50, the least 28 of 78. */
TEST(those_that_lose_alike_are_one_class)
{
	for (size_t i = 0; i < 16; i++)
		set(i, 1, 28 + (i * 7) % 23);
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 16);
	ck_assert_uint_eq(lossy_flows_classes(flows, FLOWS), 1);
}

/* As if it lost all: not looked at yet, of some class, and about to get one. */
TEST_EACH(what_is_beyond_them_is_left_alone, 3)
{
	static const unsigned classes[] = {0, 9, FLOWS + 1};

	set(0, 2, PROBES);
	flows[FLOWS] = (struct flow_loss){.sent = PROBES, .lost = PROBES, .class = classes[_i]};
	ck_assert_uint_eq(lossy_flows_find(flows, FLOWS), 2);
	expect(FLOWS, classes[_i]);
	ck_assert_uint_eq(lossy_flows_classes(flows, FLOWS), 1);
}

TEST(the_paths_follow_from_the_share_of_lossy_flows)
{
	struct path_estimate estimate = lossy_flows_paths(64, 16, 1);

	ck_assert_double_eq_tol(estimate.paths, 4, 1e-9);
	/* Wilson's interval of 16 in 64 is 0.1602 to 0.3682. */
	ck_assert_double_eq_tol(estimate.low, 1 / 0.3682, 0.01);
	ck_assert_double_eq_tol(estimate.high, 1 / 0.1602, 0.01);
	ck_assert_double_eq_tol(lossy_flows_paths(64, 32, 2).paths, 4, 1e-9);
	ck_assert_double_eq_tol(lossy_flows_paths(64, 1, 1).paths, 64, 1e-9);
	ck_assert_double_eq_tol(lossy_flows_paths(1, 1, 1).paths, 1, 1e-9);
	ck_assert(isnan(lossy_flows_paths(64, 0, 0).paths));
}
