/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Variations of delays between clocks that differ and drift. */

#include "config.h"

#include <math.h>

#include "base/clock.h"
#include "probe/delay_variation.h"
#include "support/test.h"

static const double percents[] = {0, 50, 90, 100};
static struct delay_variation variation;
static double values[ARRAY_SIZE(percents)];

static void clear(void)
{
	delay_variation_clear(&variation);
}

/* Ten times a second, of which every tenth is EXTRA longer; the clocks differ by OFFSET + DRIFT. */
static void enter(unsigned count, int64_t offset, double drift, int64_t extra)
{
	for (unsigned i = 0; i < count; i++) {
		int64_t at = (int64_t)i * 100 * (int64_t)NS_PER_MS;
		struct delay delay = {at, offset + (int64_t)(drift * (double)at) +
						  (i % 10 == 5 ? extra : 0)};

		delay_variation_enter(&variation, &delay);
	}
}

static void calculate(void)
{
	ck_assert_int_eq(
		delay_variation_percentiles(&variation, percents, values, ARRAY_SIZE(percents)), 0);
}

TEST_CASE("delay_variation", clear, clear);

TEST(without_delays_there_is_none)
{
	calculate();
	ck_assert(isnan(values[0]) && isnan(values[3]));
}

TEST(one_delay_does_not_vary)
{
	enter(1, -5, 0, 0);
	calculate();
	ck_assert_double_eq(values[3], 0);
}

TEST(what_clocks_differ_by_is_left_out)
{
	enter(100, -INT64_C(4000000000000000000), 0, 700);
	calculate();
	ck_assert_double_eq(values[0], 0);
	ck_assert_double_eq(values[1], 0);
	ck_assert_double_eq(values[2], 0);
	ck_assert_double_eq(values[3], 700);
}

TEST(drift_is_taken_out_over_more_than_a_minute)
{
	enter(6000, 123456789, -50e-6, 2000000);
	calculate();
	ck_assert_double_le(values[2], 10);
	ck_assert_double_eq_tol(values[3], 2000000, 10);
}

TEST(a_queue_in_between_is_no_drift)
{
	static const struct delay delays[] = {{0, 0}, {100 * NS_PER_S, 1000}, {200 * NS_PER_S, 0}};

	for (size_t i = 0; i < ARRAY_SIZE(delays); i++)
		delay_variation_enter(&variation, &delays[i]);
	calculate();
	ck_assert_double_eq(values[0], 0);
	ck_assert_double_eq(values[3], 1000);
}

/* Within a minute what looks like drift may be a queue. */
TEST(within_a_minute_it_is_not)
{
	enter(600, 0, 50e-6, 0);
	calculate();
	ck_assert_double_eq_tol(values[3], 50e-6 * 59.9e9, 10);
}

TEST(more_than_there_is_room_for_are_thinned_out)
{
	enter(3 * DELAYS_MAX, 0, 0, 900);
	ck_assert_uint_le(variation.count, DELAYS_MAX);
	ck_assert_uint_ge(variation.count, DELAYS_MAX / 2);
	calculate();
	ck_assert_double_eq(values[1], 0);
}

TEST(delays_may_come_out_of_order)
{
	for (int i = 0; i < 1000; i++) {
		int64_t at = (int64_t)(i ^ 1) * (int64_t)NS_PER_S;
		struct delay delay = {at, at / 1000};

		delay_variation_enter(&variation, &delay);
	}
	calculate();
	ck_assert_double_le(values[3], 1);
}

TEST(no_delay_does_harm)
{
	static const int64_t odd[] = {INT64_MIN, INT64_MAX, 0, -1};

	for (int i = 0; i < 200; i++) {
		struct delay delay = {odd[i % 4], odd[i / 4 % 4]};

		delay_variation_enter(&variation, &delay);
	}
	calculate();
	ck_assert(values[3] >= 0);
}
