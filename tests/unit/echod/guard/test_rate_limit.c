/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What the rate limiter grants one source, in simulated time: against the limits that echod.conf(5)
 * states; beside a flood of others that need its place in the table; and to a client whose address
 * is forged, for the figures of SECURITY.md.
 */

#include "config.h"

#include "base/siphash.h"
#include "unit/rate_scene.h"

#define RATE_MAX 4294967295

static unsigned keys, unmapped;

void __real_siphash_key_random(struct siphash_key *key);
void __wrap_siphash_key_random(struct siphash_key *key);
int __real_munmap(void *memory, size_t size);
int __wrap_munmap(void *memory, size_t size);

void __wrap_siphash_key_random(struct siphash_key *key)
{
	keys++;
	__real_siphash_key_random(key);
}

int __wrap_munmap(void *memory, size_t size)
{
	unmapped++;
	return __real_munmap(memory, size);
}

static unsigned take(const char *source, uint64_t rate, unsigned count, int64_t now)
{
	struct in6_addr address = ip(source);

	return take_from(&address, rate, count, now).allowed;
}

/* What SOURCE gets until END when it sends TRAIN datagrams each INTERVAL. */
static uint64_t flood(const char *source, uint64_t rate, unsigned train, int64_t interval,
		      int64_t end)
{
	struct in6_addr address = ip(source);
	uint64_t allowed = 0;

	for (int64_t now = START; now < end; now += interval)
		allowed += take_from(&address, rate, train, now).allowed;
	return allowed;
}

static void assert_about(uint64_t actual, uint64_t expected, double tolerance)
{
	double error = (double)actual / (double)expected - 1;

	ck_assert_msg(error <= tolerance && error >= -tolerance, "%lu is not about %lu",
		      (unsigned long)actual, (unsigned long)expected);
}

TEST_CASE("table");

TEST(each_table_has_a_key_of_its_own_and_is_returned)
{
	set_up();
	ck_assert_uint_eq(keys, 1);
	tear_down();
	ck_assert_uint_eq(unmapped, 1);
	rate_limit_free(NULL);
	ck_assert_uint_eq(unmapped, 1);
}

TEST_CASE("budget", set_up, tear_down);

TEST(a_burst_of_one_second_is_answered)
{
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 1000, 1000, START), 1000);
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 1000, 0, START), 0);
}

/* No bucket takes two seconds to drain: then the clock was set back, and it counts as empty. */
TEST(a_bucket_that_drains_in_two_seconds_is_empty)
{
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 1000, 1000, START), 1000);
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 1000, 1000, START - SECOND + 1), 0);
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 1000, 1000, START - SECOND), 1000);
}

TEST(a_machine_that_has_just_booted_logs)
{
	struct in6_addr address = ip("::ffff:192.0.2.1");

	ck_assert(!take_from(&address, 1, 1, SECOND).log_due);
	ck_assert(take_from(&address, 1, 64, SECOND).log_due);
}

TEST(a_source_within_its_rate_is_always_answered)
{
	uint64_t sent = (uint64_t)(20 * SECOND / MILLISECOND);

	ck_assert_uint_eq(flood("::ffff:192.0.2.1", 1000, 1, MILLISECOND, START + 20 * SECOND),
			  sent);
	ck_assert_uint_eq(flood("::ffff:192.0.2.2", 64000, 64, MILLISECOND, START + 20 * SECOND),
			  64 * sent);
	ck_assert_uint_eq(flood("::ffff:192.0.2.3", 1, 1, SECOND, START + 20 * SECOND), 20);
}

TEST(nothing_is_granted_a_nanosecond_early)
{
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 1, 1000, START), 2);
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 1, 1000, START + SECOND - 1), 0);
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 1, 1000, START + SECOND), 2);
}

TEST(at_the_highest_rate_each_nanosecond_has_four)
{
	ck_assert_uint_eq(take("::ffff:192.0.2.1", RATE_MAX, RATE_MAX, START), RATE_MAX);
	ck_assert_uint_eq(take("::ffff:192.0.2.1", RATE_MAX, 4, START + 1), 4);
}

TEST(beyond_the_rate_each_64_have_8_replies)
{
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 100000, 100000, START), 100000);
	ck_assert_uint_eq(take("::ffff:192.0.2.1", 100000, 6400, START), 800);
}

TEST_EACH(a_flood_gets_twice_the_rate, 8)
{
	static const struct {
		uint64_t rate;
		unsigned train, times;
	} floods[] = {{1000, 1, 10}, {1000, 1, 100}, {1000, 64, 10},  {1000, 64, 100},
		      {100, 1, 10},  {100, 3, 100},  {10000, 64, 10}, {999, 7, 50}};
	uint64_t rate = floods[_i].rate;
	int64_t interval = SECOND * floods[_i].train / (int64_t)(rate * floods[_i].times);
	uint64_t allowed =
		flood("::ffff:192.0.2.1", rate, floods[_i].train, interval, START + 60 * SECOND);

	assert_about(allowed, 2 * 60 * rate, 0.05);
	ck_assert_uint_le(allowed, 2 * 60 * rate + rate + rate / 8 + 1);
}

TEST(of_a_small_excess_one_in_eight_is_answered)
{
	/* Twice the rate for a minute, less the first second's burst. */
	uint64_t singles = flood("::ffff:192.0.2.1", 1000, 1, SECOND / 2000, START + 60 * SECOND);
	uint64_t trains = flood("::ffff:192.0.2.2", 1000, 50, SECOND / 40, START + 60 * SECOND);
	uint64_t large = flood("::ffff:192.0.2.3", 1000, 500, SECOND / 4, START + 60 * SECOND);

	assert_about(singles, 60000 + 1000 + 59000 / 8, 0.01);
	assert_about(trains, 60000 + 1000 + 59000 / 8, 0.01);
	assert_about(large, 60000 + 1000 + 59000 / 8, 0.01);
}

TEST(even_the_lowest_rate_lets_a_victim_of_spoofing_through)
{
	uint64_t allowed = flood("::ffff:192.0.2.1", 1, 1, SECOND / 100, START + 60 * SECOND);

	ck_assert_uint_gt(allowed, 60 + 30);
	ck_assert_uint_le(allowed, 2 * 60 + 2);
}

TEST(the_highest_rate_does_not_overflow)
{
	const char *source = "::ffff:192.0.2.1";

	ck_assert_uint_eq(take(source, RATE_MAX, RATE_MAX, START), RATE_MAX);
	/* Drained at 4.29 a nanosecond. */
	ck_assert_uint_ge(take(source, RATE_MAX, RATE_MAX, START + 1000), 4290);
	ck_assert_uint_eq(take(source, RATE_MAX, RATE_MAX, START + 3 * SECOND), RATE_MAX);
	ck_assert_uint_eq(take(source, RATE_MAX, 64, START + 5 * SECOND), 64);
	ck_assert_uint_ge(take("::1", 1, RATE_MAX, START), 1);
	ck_assert_uint_le(take("::1", 1, RATE_MAX, START), 2);
}

TEST(a_longer_burst_is_not_to_be_had_by_waiting)
{
	const char *source = "::ffff:192.0.2.1";

	ck_assert_uint_eq(take(source, 10, 10, START), 10);
	ck_assert_uint_le(take(source, 10, 1000, START + 1000 * SECOND), 10 + 1);
}

TEST(a_clock_set_back_refuses_no_polite_source)
{
	const char *polite = "::ffff:192.0.2.1";

	ck_assert_uint_eq(flood(polite, 1000, 1, SECOND / 10, START + 10 * SECOND), 100);
	ck_assert_uint_eq(take(polite, 1000, 1, START - 900 * SECOND), 1);
	ck_assert_uint_eq(take(polite, 1000, 1, START - 899 * SECOND), 1);
	assert_about(flood("::ffff:192.0.2.2", 1000, 1, SECOND / 100000, START + 10 * SECOND),
		     21000, 0.05);
}

/* Workers read the clock one after the other and come in any order. */
TEST(a_worker_a_little_late_refunds_nothing)
{
	struct in6_addr address = ip("::ffff:192.0.2.1");
	uint64_t allowed = 0;

	for (int i = 0; i < 60 * 20000; i++) {
		int64_t now = START + i * (SECOND / 20000) - i % 2 * 5 * MILLISECOND;

		allowed += take_from(&address, 1000, 1, now).allowed;
	}
	assert_about(allowed, 2 * 60 * 1000, 0.05);
}

#define SECONDS 4

/* Never the same one twice; the key of the table spreads them. */
static struct in6_addr another_source(void)
{
	static uint32_t number;

	return numbered_ipv4(++number);
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

		take_from(&other, rate, 1, now);
		for (; due <= now; due += interval)
			allowed += take_from(&flooder, rate, 1, now).allowed;
	}
	return allowed;
}

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
		struct rate_grant grant = take_from(&source, rate, 1, now);

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

#define RATE 1000

/* So often, 100 times a second on the average, at moments that the flood cannot know. */
#define ASKED 3000
#define LONGEST_PAUSE (SECOND / 50)

/*
 * What there is to keep for a client whose address is forged is at most its part of twice the rate,
 * since its datagrams look like the forged ones; evenly spaced ones find more of it than others.
 */
static const struct in6_addr victim = {.s6_addr = {[10] = 0xff, 0xff, 192, 0, 2, 7}};

static bool is_answered(int64_t now)
{
	return take_from(&victim, RATE, 1, now).allowed == 1;
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
