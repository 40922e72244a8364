/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a reply is to the counts of a target. */

#include "config.h"

#include "echom/watching/counts.h"
#include "echom/watching/lateness.h"
#include "support/test.h"

static const struct finding intact = {.verdict = VERDICT_INTACT};
static const struct finding corrupt = {.verdict = VERDICT_CORRUPT};
static const struct finding truncated = {.verdict = VERDICT_TRUNCATED};

TEST(a_reply_counts_by_its_fate)
{
	struct counts counts = {0};

	counts_reply(&counts, FATE_RECEIVED, &intact, 1, true);
	counts_reply(&counts, FATE_RECEIVED, &corrupt, 1, false);
	counts_reply(&counts, FATE_RECEIVED, &truncated, 1, true);
	counts_reply(&counts, FATE_LATE, &intact, 1, true);
	counts_reply(&counts, FATE_DUPLICATE, &corrupt, 1, false);
	ck_assert_uint_eq(counts.received, 3);
	ck_assert_uint_eq(counts.corrupt, 1);
	ck_assert_uint_eq(counts.truncated, 1);
	ck_assert_uint_eq(counts.out_of_order, 1);
	ck_assert_uint_eq(counts.late, 1);
	ck_assert_uint_eq(counts.duplicates, 1);
	ck_assert_uint_eq(counts.rtt_sum, 3);
}

static const struct {
	uint64_t rtt;
	size_t bucket;
} places[] = {
	{0, 0},
	{50 * NS_PER_US, 0},
	{50 * NS_PER_US + 1, 1},
	{100 * NS_PER_US, 1},
	{(50 * NS_PER_US) << 19, 19},
	{((50 * NS_PER_US) << 19) + 1, 20},
	{UINT64_MAX / 2, 20},
};

TEST_EACH(a_round_trip_is_at_most_the_bound_of_its_bucket, ARRAY_SIZE(places))
{
	struct counts counts = {0};

	counts_reply(&counts, FATE_RECEIVED, &intact, places[_i].rtt, true);
	for (size_t i = 0; i <= RTT_BOUNDS; i++)
		ck_assert_uint_eq(counts.rtt[i], i == places[_i].bucket);
}

TEST(the_least_round_trip_is_kept)
{
	struct counts counts = {0};

	counts_reply(&counts, FATE_RECEIVED, &intact, 5, true);
	counts_reply(&counts, FATE_RECEIVED, &intact, 3, true);
	counts_reply(&counts, FATE_RECEIVED, &intact, 4, true);
	ck_assert_uint_eq(counts.rtt_min, 3);
}

TEST(lateness_is_at_most_the_bound_of_its_bucket)
{
	struct lateness lateness = {0};

	lateness_add(&lateness, 100 * NS_PER_US);
	lateness_add(&lateness, 100 * NS_PER_US + 1);
	lateness_add(&lateness, 1000 * NS_PER_S);
	ck_assert_uint_eq(lateness.buckets[0], 1);
	ck_assert_uint_eq(lateness.buckets[1], 1);
	ck_assert_uint_eq(lateness.buckets[LATENESS_BOUNDS], 1);
	ck_assert_uint_eq(lateness.sum, 200 * NS_PER_US + 1 + 1000 * NS_PER_S);
}
