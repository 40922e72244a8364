/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The histogram against exact percentiles of random data, and the sums of latencies and jitter
 * against their definitions.
 */

#include "config.h"

#include <math.h>

#include "probe/histogram.h"
#include "probe/latency.h"
#include "support/test.h"

#define SAMPLES 20000

static const double percents[] = {0.1, 1, 10, 25, 50, 75, 90, 99, 99.9, 100};

static uint64_t state = 42;

static uint64_t next_random(void)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 11;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static uint64_t uniform(void)
{
	return next_random() % 1000000;
}

/* As round trips are: most are short, a few very long. */
static uint64_t long_tailed(void)
{
	double unit = (double)(next_random() % 1000000 + 1) / 1e6;

	return (uint64_t)(20000.0 / pow(unit, 1.5));
}

static uint64_t tiny(void)
{
	return next_random() % 40;
}

/* Up to 18 hours, in nanoseconds: most of it needs more than 32 bits. */
static uint64_t slow(void)
{
	return next_random() % (UINT64_C(1) << HISTOGRAM_MAX_BITS);
}

static void expect_percentiles(uint64_t (*sample)(void))
{
	static uint64_t values[SAMPLES];
	static struct histogram histogram;

	histogram_clear(&histogram);
	for (size_t i = 0; i < SAMPLES; i++) {
		values[i] = sample();
		histogram_add(&histogram, values[i], 1);
	}
	qsort(values, SAMPLES, sizeof(values[0]), by_value);
	for (size_t i = 0; i < ARRAY_SIZE(percents); i++) {
		size_t rank = SAMPLES / 1000 * (size_t)lround(10 * percents[i]);
		double exact = (double)values[rank - 1];
		double read = (double)histogram_percentile(&histogram, percents[i]);

		ck_assert_msg(fabs(read - exact) <= exact / HISTOGRAM_SUBBUCKETS,
			      "p%g is %g, must be %g", percents[i], read, exact);
	}
}

TEST(percentiles_are_within_a_64th_of_the_exact_ones)
{
	expect_percentiles(uniform);
	expect_percentiles(long_tailed);
	expect_percentiles(tiny);
	expect_percentiles(slow);
}

TEST(every_value_is_in_a_bucket_no_wider_than_a_64th)
{
	for (unsigned shift = 0; shift < HISTOGRAM_MAX_BITS; shift++) {
		for (uint64_t i = 0; i < 200; i++) {
			uint64_t value = (UINT64_C(1) << shift) + i * (1 + (1ull << shift) / 200);
			size_t bucket = histogram_bucket(value);
			uint64_t low = histogram_lowest(bucket);
			uint64_t next = histogram_lowest(bucket + 1);

			if (value >> HISTOGRAM_MAX_BITS)
				continue;
			ck_assert_uint_lt(bucket, HISTOGRAM_BUCKETS);
			ck_assert_uint_le(low, value);
			ck_assert_uint_lt(value, next);
			ck_assert(next - low == 1 || (next - low) * HISTOGRAM_SUBBUCKETS <= low);
		}
	}
}

TEST(what_is_longer_than_the_range_counts_as_its_end)
{
	static struct histogram histogram;

	histogram_clear(&histogram);
	histogram_add(&histogram, UINT64_MAX, 1);
	ck_assert_uint_eq(histogram.buckets[HISTOGRAM_BUCKETS - 1], 1);
	ck_assert_uint_eq(histogram.total, 1);
}

TEST(nothing_measured_is_no_percentile)
{
	static struct histogram histogram;
	static struct latency latency;

	histogram_clear(&histogram);
	latency_clear(&latency);
	ck_assert_uint_eq(histogram_percentile(&histogram, 50), 0);
	ck_assert(isnan(latency_percentile(&latency, 50)));
	ck_assert(isnan(latency_mean(&latency)));
	ck_assert(isnan(latency_deviation(&latency)));
}

TEST(merged_parts_are_as_the_whole)
{
	static struct latency whole, part, sum;

	latency_clear(&whole);
	latency_clear(&sum);
	for (unsigned i = 0; i < 10; i++) {
		latency_clear(&part);
		for (unsigned k = 0; k < 10 * i + 1; k++) {
			uint64_t value = long_tailed();

			latency_add(&whole, value, 1);
			latency_add(&part, value, 1);
		}
		latency_merge(&sum, &part);
	}
	ck_assert_uint_eq(sum.count, whole.count);
	ck_assert_uint_eq(sum.min, whole.min);
	ck_assert_uint_eq(sum.max, whole.max);
	ck_assert_double_eq_tol(latency_mean(&sum), latency_mean(&whole), 0.001);
	ck_assert_double_eq_tol(latency_deviation(&sum) / latency_deviation(&whole), 1, 1e-9);
	ck_assert_mem_eq(&sum.histogram, &whole.histogram, sizeof(whole.histogram));
}

TEST(a_part_of_one_and_the_shortest_of_all_count)
{
	static struct latency sum, part;

	latency_clear(&sum);
	latency_clear(&part);
	latency_add(&sum, 0, 1);
	latency_add(&part, 1, 1);
	latency_merge(&sum, &part);
	latency_clear(&part);
	latency_add(&part, 0, 1);
	latency_merge(&sum, &part);
	ck_assert_uint_eq(sum.min, 0);
	ck_assert_uint_eq(sum.max, 1);
	ck_assert_uint_eq(histogram_between(&sum.histogram, 0, 1), 2);
	ck_assert_double_eq_tol(latency_deviation(&sum), sqrt(2.0 / 9), 1e-12);
}

TEST(equal_ones_do_not_deviate)
{
	static struct latency latency;

	latency_clear(&latency);
	latency_add(&latency, 123456789, 3);
	ck_assert_double_lt(latency_deviation(&latency), 1e-3);
}

TEST(a_percentile_is_the_middle_of_its_bucket)
{
	static struct histogram histogram;

	histogram_clear(&histogram);
	histogram_add(&histogram, UINT64_C(1) << 20, 1);
	ck_assert_uint_eq(histogram_percentile(&histogram, 50),
			  (UINT64_C(1) << 20) + ((UINT64_C(1) << 20) / HISTOGRAM_SUBBUCKETS) / 2);
}

/* The middle of a bucket may lie beyond. */
TEST_EACH(percentiles_are_within_the_extremes, 2)
{
	static struct latency latency;
	uint64_t value = _i == 0 ? 1985 : 1999; /* the ends of a bucket */

	latency_clear(&latency);
	latency_add(&latency, value, 1);
	ck_assert_double_eq(latency_percentile(&latency, 50), (double)value);
	ck_assert_double_eq(latency_mean(&latency), (double)value);
}

TEST(a_value_is_between_itself_and_the_next)
{
	static struct histogram histogram;

	histogram_clear(&histogram);
	histogram_add(&histogram, 100, 1);
	ck_assert_uint_eq(histogram_between(&histogram, 100, 101), 1);
	ck_assert_uint_eq(histogram_between(&histogram, 99, 100), 0);
	ck_assert_uint_eq(histogram_between(&histogram, 101, 200), 0);
}

TEST(between_counts_each_value_once)
{
	static struct histogram histogram;
	uint64_t sum = 0;

	histogram_clear(&histogram);
	for (unsigned i = 0; i < 5000; i++)
		histogram_add(&histogram, long_tailed(), 1);
	for (uint64_t from = 0; from < UINT64_C(1) << 40; from = from * 2 + 1)
		sum += histogram_between(&histogram, from, from * 2 + 1);
	ck_assert_uint_eq(sum, 5000);
}

TEST(mean_and_deviation_are_those_of_the_definition)
{
	static struct latency latency;

	latency_clear(&latency);
	for (unsigned i = 1; i <= 4; i++)
		latency_add(&latency, i * 1000, 1);
	ck_assert_double_eq_tol(latency_mean(&latency), 2500, 1e-6);
	ck_assert_double_eq_tol(latency_deviation(&latency), sqrt(1250000), 1e-6);
	ck_assert_double_eq_tol(latency_percentile(&latency, 100), 4000, 1e-6);
}

TEST(jitter_is_that_of_rfc_3550)
{
	const uint64_t transits[] = {1000, 1160, 1000, 1000};
	struct jitter jitter = {0};
	double expected = 0;

	for (size_t i = 0; i < ARRAY_SIZE(transits); i++) {
		jitter_add(&jitter, transits[i], 1);
		if (i > 0)
			expected +=
				(fabs((double)transits[i] - (double)transits[i - 1]) - expected) /
				16;
	}
	ck_assert_double_eq_tol(jitter.value, expected, 1e-9);
	ck_assert_double_gt(jitter.value, 0);
	ck_assert_uint_eq(jitter.differences, 3);
}

TEST(many_of_one_length_are_as_one_after_the_other)
{
	static struct latency singly, together;
	struct jitter one = {0}, all = {0};

	latency_clear(&singly);
	latency_clear(&together);
	for (unsigned i = 0; i < 10; i++) {
		uint64_t value = long_tailed();

		for (unsigned k = 0; k < 100; k++) {
			latency_add(&singly, value, 1);
			jitter_add(&one, value, 1);
		}
		latency_add(&together, value, 100);
		jitter_add(&all, value, 100);
	}
	ck_assert_uint_eq(together.count, singly.count);
	ck_assert_uint_eq(together.min, singly.min);
	ck_assert_uint_eq(together.max, singly.max);
	ck_assert_double_eq_tol(latency_mean(&together), latency_mean(&singly), 0.001);
	ck_assert_double_eq_tol(latency_deviation(&together), latency_deviation(&singly), 0.001);
	ck_assert_mem_eq(&together.histogram, &singly.histogram, sizeof(singly.histogram));
	ck_assert_double_eq_tol(all.value, one.value, 1e-6);
	ck_assert_uint_eq(all.differences, one.differences);
}
