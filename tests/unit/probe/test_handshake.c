/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Who made the connection, from the time that took and that of echoes. */

#include "config.h"

#include "base/clock.h"
#include "probe/handshake.h"
#include "support/test.h"

static const struct {
	unsigned connects_us[4]; /* up to a 0 */
	unsigned echoes_us[8];
	enum handshake_by expected;
} cases[] = {
	{{2100}, {48000, 48100, 48000, 49000, 48000}, HANDSHAKE_BY_OTHER},
	{{2100}, {9199, 48100, 48000, 49000, 48000}, HANDSHAKE_BY_SERVER},
	{{2100}, {9200, 48100, 48000, 49000, 48000}, HANDSHAKE_BY_OTHER},
	{{50}, {5100, 5200, 5300, 5400, 5500}, HANDSHAKE_BY_OTHER},
	{{50}, {60, 5200, 5300, 5400, 5500}, HANDSHAKE_BY_SERVER},
	{{50}, {5099, 5200, 5300, 5400, 5500}, HANDSHAKE_BY_SERVER},
	/* A SYN that was lost. */
	{{1002000}, {2000, 2000, 2000, 2000, 2000}, HANDSHAKE_BY_SERVER},
	{{1002000, 2000}, {48000, 48000, 48000, 48000, 48000}, HANDSHAKE_BY_OTHER},
	{{20000}, {20100, 21000, 20000, 20000, 20000, 20000}, HANDSHAKE_BY_SERVER},
	{{2100}, {48000, 48100, 48000, 49000}, HANDSHAKE_BY_UNKNOWN},
	{{0}, {48000, 48100, 48000, 49000, 48000}, HANDSHAKE_BY_UNKNOWN},
	{{2100}, {0}, HANDSHAKE_BY_UNKNOWN},
};

TEST_EACH(a_handshake_without_the_way_behind_it_is_seen, ARRAY_SIZE(cases))
{
	static struct latency echo;
	struct spread connect = {0};

	latency_clear(&echo);
	for (const unsigned *us = cases[_i].connects_us; *us != 0; us++)
		spread_add(&connect, *us * NS_PER_US);
	for (const unsigned *us = cases[_i].echoes_us; *us != 0; us++)
		latency_add(&echo, *us * NS_PER_US, 1);
	ck_assert_int_eq(handshake_by(&connect, &echo), cases[_i].expected);
}

TEST(a_spread_has_the_least_the_mean_and_the_most)
{
	struct spread some = {0}, other = {0}, sum = {0};

	ck_assert(isnan(spread_mean(&sum)));
	spread_add(&some, 30);
	spread_add(&some, 10);
	spread_add(&other, 50);
	spread_merge(&sum, &some);
	spread_merge(&sum, &(struct spread){0});
	spread_merge(&sum, &other);
	ck_assert_uint_eq(sum.count, 3);
	ck_assert_uint_eq(sum.min, 10);
	ck_assert_uint_eq(sum.max, 50);
	ck_assert_double_eq(spread_mean(&sum), 30);
	spread_merge(&other, &some);
	ck_assert_uint_eq(other.min, 10);
}
