/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One source over its rate beside a flood of others that need its place in the table: in simulated
 * time, for rates from the lowest on.
 */

#include "config.h"

#include "echod/guard/rate_limit.h"

#include "support/test.h"

#define SECOND INT64_C(1000000000)
#define START (1000 * SECOND)
#define TAG 7
#define SECONDS 4

static struct rate_limit *limit;
static uint64_t random_state;

static void set_up(void)
{
	limit = rate_limit_new();
	ck_assert_ptr_nonnull(limit);
	random_state = 0x9e3779b97f4a7c15;
}

static void tear_down(void)
{
	rate_limit_free(limit);
}

static struct in6_addr numbered_ipv4(uint32_t number)
{
	struct in6_addr address = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	memcpy(&address.s6_addr[12], &number, sizeof(number));
	return address;
}

/* Never the same one twice; the key of the table spreads them. */
static struct in6_addr another_source(void)
{
	static uint32_t number;

	return numbered_ipv4(++number);
}

static struct rate_grant take(const struct in6_addr *ip, uint64_t rate, int64_t now)
{
	return rate_limit_take(limit, TAG, ip, rate, 1, now, &random_state);
}

/*
 * The answers to one source that sends TIMES its rate, while CROWD others a second send one
 * datagram each.
 */
static uint64_t answers_beside(unsigned crowd, uint64_t rate, unsigned times)
{
	struct in6_addr flooder = {.s6_addr = {0x20, 0x01, 0x0d, 0xb8}};
	int64_t interval = SECOND / (int64_t)(rate * times), due = START;
	uint64_t allowed = 0;

	for (int64_t now = START; now < START + SECONDS * SECOND; now += SECOND / crowd) {
		struct in6_addr other = another_source();

		take(&other, rate, now);
		for (; due <= now; due += interval)
			allowed += take(&flooder, rate, now).allowed;
	}
	return allowed;
}

TEST_CASE("crowd", set_up, tear_down);

TEST_EACH(no_crowd_lets_a_source_exceed_twice_its_rate, 5)
{
	static const uint64_t rates[] = {1, 2, 3, 31, 32};
	static const unsigned crowds[] = {100000, 400000}, times[] = {3, 30};
	uint64_t rate = rates[_i], most = 2 * SECONDS * rate + rate + rate / 8 + 1;

	for (int i = 0; i < 4; i++) {
		uint64_t answers = answers_beside(crowds[i / 2], rate, times[i % 2]);

		ck_assert_msg(answers <= most, "%lu answers beside %u others a second, not %lu",
			      (unsigned long)answers, crowds[i / 2], (unsigned long)most);
		tear_down();
		set_up();
	}
}

/* How many of COUNT new sources, all at one time, get an answer. */
static unsigned newcomers_answered(unsigned count, uint64_t rate, int64_t now)
{
	unsigned answered = 0;

	for (unsigned i = 0; i < count; i++) {
		struct in6_addr source = another_source();
		struct rate_grant grant = take(&source, rate, now);

		ck_assert_int_eq(grant.crowded_out, grant.allowed == 0);
		ck_assert(!grant.log_due);
		answered += grant.allowed;
	}
	return answered;
}

TEST(at_a_low_rate_newcomers_wait_for_a_place_that_owes_nothing)
{
	unsigned crowded = newcomers_answered(200000, 31, START);

	ck_assert_uint_gt(crowded, 32000);
	ck_assert_uint_le(crowded, 4 * 8191);
	ck_assert_uint_eq(newcomers_answered(1, 31, START + SECOND / 62), 0);
	/* A place is free again after the time of one datagram. */
	ck_assert_uint_eq(newcomers_answered(1, 31, START + SECOND / 31 + 1), 1);
}

TEST(from_32_a_second_on_every_newcomer_is_answered)
{
	ck_assert_uint_eq(newcomers_answered(200000, 32, START), 200000);
	ck_assert_uint_eq(newcomers_answered(200000, 1000, START), 200000);
}

TEST(what_was_written_before_the_clock_was_set_back_holds_no_place)
{
	newcomers_answered(200000, 1, START);
	ck_assert_uint_eq(newcomers_answered(1, 1, START - 900 * SECOND), 1);
}
