/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a client keeps of its answers while somebody forges its address, in simulated time: the
 * figures of SECURITY.md. The most that there is to keep is its part of twice the rate, as nothing
 * tells its datagrams from the forged ones; those who come evenly find more of it than others.
 */

#include "config.h"

#include "echod/guard/rate_limit.h"

#include "support/test.h"

#define SECOND INT64_C(1000000000)
#define START (1000 * SECOND)
#define RATE 1000

/* So often, 100 times a second on the average, at moments that the flood cannot know. */
#define ASKED 3000
#define LONGEST_PAUSE (SECOND / 50)

static struct rate_limit *limit;
static struct in6_addr ip;
static uint64_t random_state = 0x9e3779b97f4a7c15;

static void set_up(void)
{
	limit = rate_limit_new();
	ck_assert_ptr_nonnull(limit);
	ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:192.0.2.7", &ip), 1);
}

static void tear_down(void)
{
	rate_limit_free(limit);
}

static bool is_answered(int64_t now)
{
	return rate_limit_take(limit, 1, &ip, RATE, 1, now, &random_state).allowed == 1;
}

/* The share of a client beside FORGED datagrams a second, evenly spaced. */
static double share_beside(unsigned forged)
{
	int64_t next = START, ask = START + 2 * SECOND; /* when no burst is left */
	unsigned kept = 0;

	srand(1);
	for (unsigned asked = 0; asked < ASKED; asked++) {
		for (; next < ask; next += SECOND / forged)
			(void)is_answered(next);
		kept += is_answered(ask);
		ask += rand() % LONGEST_PAUSE;
	}
	return (double)kept / ASKED;
}

TEST_CASE("rate_limit_victim", set_up, tear_down);

TEST_EACH(a_victim_of_forging_keeps_what_is_documented, 4)
{
	static const struct {
		unsigned forged;
		double least, most;
	} documented[] = {
		{800, 1, 1}, {2000, 0.1, 0.2}, {10000, 0.08, 0.13}, {100000, 0.005, 0.02}};
	double share = share_beside(documented[_i].forged);

	ck_assert_double_ge(share, documented[_i].least);
	ck_assert_double_le(share, documented[_i].most);
}
