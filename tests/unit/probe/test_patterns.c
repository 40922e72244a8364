/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Runs of losses, extents of reordering, delay variation: against the definitions of their RFCs. */

#include "config.h"

#include <math.h>

#include "probe/latency.h"
#include "probe/loss_runs.h"
#include "probe/reordering.h"
#include "support/test.h"

struct course {
	const char *fates; /* in the order of sending: '.' answered, 'x' lost, '?' still waits */
	uint64_t count, longest;
	double mean;
};

static const struct course courses[] = {
	{"....", 0, 0, (double)NAN},
	{"x", 1, 1, 1},
	{".xx.x.", 2, 2, 1.5},
	{"xxx..xxxxx.", 2, 5, 4},
	{".x.x.x", 3, 1, 1},
	{"..xxx", 1, 3, 3},
	/* Of what waits nobody knows. */
	{"x?x.?", 1, 2, 2},
};

static const struct finding intact = {.verdict = VERDICT_INTACT};

TEST_EACH(losses_in_a_row_are_one_run, ARRAY_SIZE(courses))
{
	const struct course *course = &courses[_i];
	struct loss_runs runs = {0};
	static struct books books;
	struct flow flow;
	uint64_t rtt;
	double mean;

	ck_assert_int_eq(flow_init(&flow, 1, 64, 16, &books), 0);
	for (const char *at = course->fates; *at != '\0'; at++)
		(void)flow_send(&flow, 100);
	/* Known from the last to the first. */
	for (uint64_t sequence = strlen(course->fates); sequence > 0; sequence--) {
		if (course->fates[sequence - 1] == '.')
			(void)flow_reply(&flow, sequence, &intact, 64, 200, &rtt);
		else if (course->fates[sequence - 1] == 'x')
			flow_lose(&flow, sequence);
	}
	loss_runs_follow(&runs, &flow, flow_next(&flow));
	loss_runs_follow(&runs, &flow, flow_next(&flow));
	mean = loss_runs_mean(&runs);
	ck_assert_uint_eq(runs.count, course->count);
	ck_assert_uint_eq(runs.longest, course->longest);
	ck_assert(isnan(course->mean) ? isnan(mean) : fabs(mean - course->mean) < 1e-9);
	flow_clear(&flow);
}

struct arrivals {
	uint64_t sequences[16]; /* up to a 0 */
	uint64_t count, sum, max;
};

static const struct arrivals arrivals[] = {
	{{1, 2, 3, 4}, 0, 0, 0},
	{{1, 3, 5, 9}, 0, 0, 0},
	{{2, 1}, 1, 1, 1},
	{{1, 2, 4, 3, 5}, 1, 1, 1},
	{{1, 2, 3, 4, 5, 7, 8, 9, 10, 6}, 1, 4, 4},
	/* Sections 4.2 and A of RFC 4737: each is behind the first that is higher. */
	{{1, 2, 3, 7, 8, 9, 10, 4, 5, 6, 11}, 3, 4 + 5 + 6, 6},
	{{5, 4, 3, 2, 1}, 4, 1 + 2 + 3 + 4, 4},
	{{1, 9, 2, 3, 10, 4}, 3, 1 + 2 + 4, 4},
};

TEST_EACH(an_extent_counts_from_the_first_that_overtook, ARRAY_SIZE(arrivals))
{
	const struct arrivals *row = &arrivals[_i];
	struct reordering reordering = {0};

	for (size_t i = 0; row->sequences[i] != 0; i++)
		reordering_enter(&reordering, row->sequences[i]);
	ck_assert_uint_eq(reordering.count, row->count);
	ck_assert_uint_eq(reordering.sum, row->sum);
	ck_assert_uint_eq(reordering.max, row->max);
	if (row->count == 0)
		ck_assert(isnan(reordering_mean(&reordering)));
	else
		ck_assert_double_eq(reordering_mean(&reordering),
				    (double)row->sum / (double)row->count);
}

/* In constant memory: beyond it the extent is the least that it can be. */
TEST(a_very_late_one_has_a_bounded_extent)
{
	struct reordering reordering = {0};

	for (uint64_t sequence = 2; sequence < 2 + 3 * REORDERING_KEPT; sequence++)
		reordering_enter(&reordering, sequence);
	reordering_enter(&reordering, 1);
	ck_assert_uint_eq(reordering.count, 1);
	ck_assert_uint_eq(reordering.max, REORDERING_KEPT);
}

TEST(what_came_before_a_restart_may_have_overtaken)
{
	struct reordering reordering = {0};

	for (uint64_t sequence = 5; sequence > 2; sequence--)
		reordering_enter(&reordering, sequence);
	reordering_restart(&reordering);
	ck_assert_uint_eq(reordering.count, 0);
	ck_assert(isnan(reordering_mean(&reordering)));
	ck_assert_uint_eq(reordering.max, 0);
	reordering_enter(&reordering, 2);
	ck_assert_uint_eq(reordering.count, 1);
	ck_assert_uint_eq(reordering.sum, 3);
	ck_assert_uint_eq(reordering.max, 3);
}

TEST(delay_variation_is_what_exceeds_the_least)
{
	static struct latency latency;

	ck_assert(isnan(latency_variation(&latency, 50)));
	for (uint64_t i = 0; i < 10; i++)
		latency_add(&latency, 40 + i, 1);
	ck_assert_double_eq(latency_variation(&latency, 10), 0);
	ck_assert_double_eq(latency_variation(&latency, 50), 4);
	ck_assert_double_eq(latency_variation(&latency, 99.9), 9);
}
