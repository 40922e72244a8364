/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The tails of the binomial distribution, against values of exact rational arithmetic. */

#include "config.h"

#include <math.h>

#include "base/compiler.h"
#include "probe/binomial.h"
#include "support/test.h"

struct known {
	uint64_t trials;
	uint64_t least;
	double p;
	double tail;
};

/* P as the double that is written here. */
static const struct known known[] = {
	{1, 1, 0.25, 0.25},
	{10, 3, 0.5, 0.9453125},
	{10, 10, 0.5, 0.0009765625},
	{78, 3, 0.0002666666666666667, 1.421156861941726e-06},
	{78, 39, 0.25, 1.7702307662280893e-06},
	{78, 78, 0.25, 1.0947644252537633e-47},
	{100, 3, 0.01, 0.07937320225218034},
	{1000, 3, 0.0001, 0.00015422348474725467},
	{1000, 100, 0.125, 0.9938594972063387},
	{1000, 100, 0.1, 0.5154177095659206},
	{1000, 1, 1e-06, 0.000999500666125591},
	{1000, 999, 0.999, 0.735758913030187},
	{1000, 150, 0.25, 0.9999999999999953},
	{400, 40, 0.03125, 1.8521195081190693e-10},
};

static void expect_close(double value, double expected)
{
	ck_assert_msg(fabs(value - expected) <= 1e-9 * expected, "%.17g, not %.17g", value,
		      expected);
}

TEST_EACH(a_tail_is_exact_to_nine_digits, ARRAY_SIZE(known))
{
	const struct known *row = &known[_i];

	expect_close(binomial_at_least(row->trials, row->least, row->p), row->tail);
}

/* The two are computed apart from each other. */
TEST_EACH(at_most_is_what_is_left, ARRAY_SIZE(known))
{
	const struct known *row = &known[_i];
	double below = binomial_at_most(row->trials, row->least - 1, row->p);

	ck_assert_double_eq_tol(below + row->tail, 1, 1e-9);
}

TEST(none_at_least_is_certain)
{
	expect_close(binomial_at_least(0, 0, 0.5), 1);
	expect_close(binomial_at_least(100, 0, 0), 1);
	expect_close(binomial_at_least(100, 0, 1), 1);
	expect_close(binomial_at_most(100, 100, 0.5), 1);
	expect_close(binomial_at_most(0, 0, 0.5), 1);
}

TEST(all_is_certain_only_with_certainty)
{
	expect_close(binomial_at_least(1, 1, 1), 1);
	expect_close(binomial_at_least(1000000, 1000000, 1), 1);
	expect_close(binomial_at_least(1, 1, 0.5), 0.5);
	expect_close(binomial_at_most(1, 0, 0.5), 0.5);
}

TEST(what_cannot_be_has_no_probability)
{
	ck_assert_double_le(binomial_at_least(100, 101, 0.5), 0);
	ck_assert_double_le(binomial_at_least(0, 1, 1), 0);
	ck_assert_double_le(binomial_at_least(100, 1, 0), 0);
	ck_assert_double_le(binomial_at_most(100, 99, 1), 0);
}

/* Too small for a double is 0; too near 1 is 1; never NaN, never outside. */
TEST(extremes_stay_within_0_and_1)
{
	static const double ps[] = {0, 1e-300, 1e-9, 0.5, 1 - 1e-16, 1};
	static const uint64_t counts[] = {0, 1, 3, 1000, 1000000000};

	for (size_t i = 0; i < ARRAY_SIZE(ps) * ARRAY_SIZE(counts) * ARRAY_SIZE(counts); i++) {
		double p = ps[i % ARRAY_SIZE(ps)];
		uint64_t n = counts[i / ARRAY_SIZE(ps) % ARRAY_SIZE(counts)];
		uint64_t k = counts[i / ARRAY_SIZE(ps) / ARRAY_SIZE(counts)];
		double tail = binomial_at_least(n, k, p);

		ck_assert_msg(tail >= 0 && tail <= 1, "%g of %ju, %ju, %g", tail, (uintmax_t)n,
			      (uintmax_t)k, p);
	}
}

/* Of a billion, near the mean: half of it, by symmetry. */
TEST(a_large_number_of_trials_is_no_trouble)
{
	ck_assert_double_eq_tol(binomial_at_least(1000000000, 500000000, 0.5), 0.5, 1e-4);
	ck_assert_double_le(binomial_at_least(1000000000, 600000000, 0.5), 0);
}
