/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Payloads that come again and again: how often until one is left out, and which are not concerned.
 * What is looked at is drawn by chance, so that figures have bounds that no run in a lifetime
 * exceeds.
 */

#include "config.h"

#include "echod/datagram/repeats.h"

#include "support/test.h"

#define SECOND INT64_C(1000000000)
#define NEVER UINT64_MAX
#define MANY 3000000
#define SMALL 256 /* a datagram counts as no less */

static struct udp_repeats *repeats;
static struct in6_addr source;
static char payload[65536];
static int64_t now = 1000 * SECOND;

static void set_up(void)
{
	repeats = udp_repeats_new();
	ck_assert_ptr_nonnull(repeats);
	ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:192.0.2.7", &source), 1);
}

static void tear_down(void)
{
	udp_repeats_free(repeats);
	udp_repeats_free(NULL);
}

static struct repeat of_size(size_t size)
{
	return (struct repeat){.tag = 1,
			       .source = &source,
			       .source_port = 20000,
			       .datagrams = 1,
			       .payload = payload,
			       .size = size};
}

/* It comes, and a STEP later something else may. */
static bool comes(const struct repeat *repeat, int64_t step)
{
	now += step;
	return udp_repeats_due(repeats) && udp_repeats_add(repeats, repeat, now);
}

/* How often it comes, once each STEP, until one is left out; NEVER if none is. */
static uint64_t times(const struct repeat *repeat, int64_t step, uint64_t most)
{
	for (uint64_t count = 1; count <= most; count++) {
		if (comes(repeat, step))
			return count;
	}
	return NEVER;
}

static void expect_about(uint64_t got, uint64_t expected)
{
	ck_assert_msg(got > expected / 2 && got < 2 * expected, "%llu instead of about %llu",
		      (unsigned long long)got, (unsigned long long)expected);
}

TEST_CASE("udp_repeats", set_up, tear_down);

TEST(one_in_256_mib_is_left_out)
{
	static const size_t sizes[] = {503, 504, 505, 1009, 4096, 8192, 60000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct repeat repeat = of_size(sizes[i]);

		for (unsigned again = 0; again < 3; again++)
			expect_about(times(&repeat, SECOND / 10000, MANY), (256 << 20) / sizes[i]);
	}
}

TEST(of_small_ones_one_of_a_million_is_left_out)
{
	static const size_t sizes[] = {0, 8, 256};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct repeat repeat = of_size(sizes[i]);

		expect_about(times(&repeat, SECOND / 10000, MANY), (256 << 20) / SMALL);
	}
}

TEST(a_train_counts_as_the_datagrams_it_is)
{
	struct repeat train = of_size(100);

	train.datagrams = 64;
	expect_about(times(&train, SECOND / 1000, MANY), (256 << 20) / SMALL / 64);
}

TEST(what_moves_4_kib_a_second_is_never_left_out)
{
	struct repeat large = of_size(4096), small = of_size(64);

	ck_assert_uint_eq(times(&large, SECOND, 1000000), NEVER);
	ck_assert_uint_eq(times(&small, SECOND / 16, MANY), NEVER);
	expect_about(times(&large, SECOND / 2, 1000000), 2 * 65536);
}

TEST(what_changes_is_never_left_out)
{
	static const size_t places[][2] = {{8, 0},	 {64, 56},	 {1008, 500},
					   {1008, 504},	 {1008, 1000},	 {60000, 0},
					   {60000, 496}, {60000, 59496}, {60000, 59992}};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		struct repeat repeat = of_size(places[i][0]);
		bool left_out = false;

		for (uint64_t number = 0; number < 200000; number++) {
			memcpy(&payload[places[i][1]], &number, sizeof(number));
			left_out |= comes(&repeat, SECOND / 1000);
		}
		ck_assert(!left_out);
	}
}

/* Enough to fill every place, and too fast for any to drain. */
TEST(others_do_not_add_up)
{
	struct repeat train = of_size(8);
	bool left_out = false;

	train.datagrams = 64;
	for (uint64_t number = 0; number < 8000000; number++) {
		memcpy(payload, &number, sizeof(number));
		left_out |= comes(&train, SECOND / 1000000);
	}
	ck_assert(!left_out);
}

/* Each half as often as it would take, and half of that once more. */
static void expect_apart(struct repeat one, struct repeat other)
{
	ck_assert_uint_eq(times(&one, SECOND / 1000, 40000), NEVER);
	ck_assert_uint_eq(times(&other, SECOND / 1000, 40000), NEVER);
}

TEST(sources_ports_sizes_and_listeners_are_kept_apart)
{
	struct in6_addr neighbour = source;
	struct repeat one = of_size(4096), other = one;

	neighbour.s6_addr[15]++;
	other.source = &neighbour;
	expect_apart(one, other);
	one.tag = other.tag = 2;
	other.source = &source;
	other.source_port++;
	expect_apart(one, other);
	one.tag = 3;
	other = one;
	other.size++;
	expect_apart(one, other);
	one.tag = 4;
	other = one;
	other.tag = 5;
	expect_apart(one, other);
}

TEST(many_loops_are_noticed_one_by_one)
{
	enum { LOOPS = 500 };
	struct repeat loop = of_size(60000);
	unsigned left = LOOPS;
	bool ended[LOOPS] = {false};

	for (unsigned round = 0; round < 20000 && left > 0; round++) {
		for (uint16_t i = 0; i < LOOPS; i++) {
			loop.source_port = (uint16_t)(20000 + i);
			if (ended[i] || !comes(&loop, SECOND / 1000000))
				continue;
			ended[i] = true;
			left--;
		}
	}
	ck_assert_uint_eq(left, 0);
}

/* A thousand others for each of its datagrams, none of them twice the same. */
TEST(a_flood_of_others_does_not_hide_a_loop)
{
	struct repeat loop = of_size(60000), other = of_size(64);
	uint64_t number = 0;
	bool others_left_out = false;
	unsigned count = 0;

	do {
		for (unsigned i = 0; i < 1000; i++, number++) {
			memcpy(payload, &number, sizeof(number));
			others_left_out |= comes(&other, SECOND / 100000);
		}
		memset(payload, 0, sizeof(number));
		count++;
	} while (!comes(&loop, 0));
	ck_assert(!others_left_out);
	expect_about(count, (256 << 20) / 60000);
}
