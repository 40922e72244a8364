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

static unsigned until_refused; /* how many requests for memory; 0: none is refused */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_realloc(void *memory, size_t size);

static bool is_refused(void)
{
	return until_refused > 0 && --until_refused == 0;
}

void *__wrap_malloc(size_t size)
{
	return is_refused() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *memory, size_t size)
{
	return is_refused() ? NULL : __real_realloc(memory, size);
}

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

TEST(a_minute_to_the_nanosecond_is_not_more)
{
	static const int64_t minute = 60 * (int64_t)NS_PER_S;

	for (int64_t more = 0; more < 2; more++) {
		clear();
		for (int64_t i = 0; i < 3; i++)
			delay_variation_enter(&variation,
					      &(struct delay){i * (minute + more) / 2, i * 1000});
		calculate();
		ck_assert_double_eq_tol(values[3], more > 0 ? 0 : 2000, 1e-3);
	}
}

TEST(the_least_may_come_last)
{
	static const double few[] = {1, 100};

	delay_variation_enter(&variation, &(struct delay){0, 700});
	delay_variation_enter(&variation, &(struct delay){NS_PER_S, 0});
	ck_assert_int_eq(delay_variation_percentiles(&variation, few, values, ARRAY_SIZE(few)), 0);
	ck_assert_double_eq(values[0], 0);
	ck_assert_double_eq(values[1], 700);
}

#define SOME 12

/* How far all are above the line through A and B; infinite if one is below. */
static double sum_above(const struct delay *delays, const struct delay *a, const struct delay *b)
{
	double slope = (double)(b->value - a->value) / (double)(b->at - a->at);
	double sum = 0;

	for (size_t i = 0; i < SOME; i++) {
		double above = (double)(delays[i].value - a->value) -
			       slope * (double)(delays[i].at - a->at);

		if (above < -1e-3)
			return (double)INFINITY;
		sum += above;
	}
	return sum;
}

/* Of the lines through any two the best. */
static double least_sum_above(const struct delay *delays)
{
	double least = (double)INFINITY;

	for (size_t i = 0; i < SOME; i++) {
		for (size_t j = 0; j < i; j++)
			least = fmin(least, sum_above(delays, &delays[i], &delays[j]));
	}
	return least;
}

/* As random as the run; in any order, at times apart. */
static void draw(struct delay *delays, uint32_t run)
{
	uint32_t state = run * 2654435761u + 1;

	for (size_t i = 0; i < SOME; i++) {
		state = state * 1664525u + 1013904223u;
		delays[i].at =
			(int64_t)((i * 5 + 7) % SOME * 10 + state / 7 % 9) * (int64_t)NS_PER_S;
		delays[i].value = (int64_t)(state >> 12 & 0xffff) - 20000;
	}
}

TEST_EACH(of_all_lines_below_it_is_the_closest, 100)
{
	double percent[SOME], above[SOME], sum = 0;
	struct delay delays[SOME];

	draw(delays, (uint32_t)_i);
	for (size_t i = 0; i < SOME; i++) {
		delay_variation_enter(&variation, &delays[i]);
		percent[i] = 100.0 * ((double)i + 0.5) / SOME;
	}
	ck_assert_int_eq(delay_variation_percentiles(&variation, percent, above, SOME), 0);
	for (size_t i = 0; i < SOME; i++)
		sum += above[i];
	ck_assert_double_eq_tol(sum, least_sum_above(delays), 1e-3);
}

TEST(more_than_there_is_room_for_are_thinned_out)
{
	enter(3 * DELAYS_MAX, 0, 0, 900);
	ck_assert_uint_eq(variation.count, 3 * DELAYS_MAX / 4);
	for (size_t i = 0; i < variation.count; i++)
		ck_assert_int_eq(variation.delays[i].at, (int64_t)i * 400 * (int64_t)NS_PER_MS);
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

TEST(without_memory_a_delay_is_left_out)
{
	until_refused = 1;
	enter(2, 0, 0, 0);
	ck_assert_uint_eq(variation.count, 1);
}

/* For the delays without the line, and for the corners. */
TEST_EACH(without_memory_there_are_no_percentiles, 2)
{
	enter(1000, 0, 0, 0);
	until_refused = (unsigned)_i + 1;
	ck_assert_int_eq(
		delay_variation_percentiles(&variation, percents, values, ARRAY_SIZE(percents)),
		-1);
	calculate();
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
