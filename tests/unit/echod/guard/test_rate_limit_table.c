/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The rate limiter's table: many sources, many threads, and the lines of its log. With ECHOD_BENCH
 * set, ten million sources and what a decision costs.
 */

#include "config.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

#include "unit/rate_scene.h"

TEST_CASE("table", set_up, tear_down);

TEST(sources_and_listeners_do_not_share_a_budget)
{
	struct in6_addr one = ip("::ffff:192.0.2.1"), other = ip("::ffff:192.0.2.0");
	struct in6_addr network = ip("2001:db8:0:1::1"), mate = ip("2001:db8:0:1:8000::");
	struct in6_addr neighbour = ip("2001:db8:0:2::1");
	struct in6_addr on_link = ip("fe80::1"), next_to_it = ip("fe80::2");
	const struct {
		uint64_t tag;
		const struct in6_addr *ip;
		unsigned allowed;
	} steps[] = {
		{TAG, &one, 1},	    {TAG, &one, 0},	   {TAG + 1, &one, 1},	 {TAG, &other, 1},
		{TAG, &network, 1}, {TAG, &mate, 0},	   {TAG, &neighbour, 1}, {TAG, &on_link, 1},
		{TAG, &on_link, 0}, {TAG, &next_to_it, 1},
	};

	/* Of a single excess datagram seven in eight are refused: this state draws none. */
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		uint64_t state = 1;
		struct rate_grant grant =
			rate_limit_take(limit, steps[i].tag, steps[i].ip, 1, 1, START, &state);

		ck_assert_uint_eq(grant.allowed, steps[i].allowed);
	}
}

static uint32_t random_number(void)
{
	static uint64_t state = 88172645463325252;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32);
}

TEST(a_flooder_is_not_ousted_by_the_polite)
{
	struct in6_addr flooder = ip("2001:db8::bad");
	uint64_t allowed = 0;

	/* 50 datagrams a millisecond, while 50 others send their first in that time. */
	for (int64_t now = START; now < START + 20 * SECOND; now += MILLISECOND) {
		allowed += take_from(&flooder, 1000, 50, now).allowed;
		for (int i = 0; i < 50; i++) {
			struct in6_addr other = numbered_ipv4(random_number());

			take_from(&other, 1000, 1, now);
		}
	}
	ck_assert_uint_le(allowed, 2 * 20 * 1000 + 1000 + 125);
}

/* As many as have a place in the table, but for the few sets that get more than they hold. */
TEST(thousands_of_flooders_are_all_held)
{
	enum { FLOODERS = 4000, RATE = 10 };
	uint64_t allowed = 0;

	for (int64_t now = START; now < START + 2 * SECOND; now += 100 * MILLISECOND) {
		for (uint32_t i = 0; i < FLOODERS; i++) {
			struct in6_addr address = numbered_ipv4(i);

			allowed += take_from(&address, RATE, 20, now).allowed;
		}
	}
	ck_assert_uint_ge(allowed, FLOODERS * RATE * 2);
	ck_assert_uint_le(allowed, FLOODERS * (RATE + 2 * RATE * 2 + RATE / 8 + 1) * 102 / 100);
}

static int64_t clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * SECOND + now.tv_nsec;
}

static long resident_kib(void)
{
	struct rusage usage;

	ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/*
 * COUNT random sources, a million a second, and one that sends 10; true when that one was answered.
 */
static bool flood_from_everywhere(int64_t count, int64_t *now)
{
	struct in6_addr polite = ip("::ffff:192.0.2.1");
	bool answered = true;

	for (int64_t i = 0; i < count; i++, *now += 1000) {
		struct in6_addr address = numbered_ipv4(random_number());

		take_from(&address, 1000, 1, *now);
		if (i % 100000 == 0)
			answered &= take_from(&polite, 1000, 1, *now).allowed == 1;
	}
	return answered;
}

TEST(no_flood_of_sources_mutes_the_polite_or_takes_memory)
{
	bool bench = getenv("ECHOD_BENCH") != NULL;
	int64_t sources = bench ? 10000000 : 1000000, now = START, began;
	long resident;

	ck_assert(flood_from_everywhere(200000, &now));
	resident = resident_kib();
	began = clock_now();
	ck_assert(flood_from_everywhere(sources, &now));
	if (bench)
		printf("%ld sources: %.1f ns a decision\n", (long)sources,
		       (double)(clock_now() - began) / (double)sources);
	ck_assert_int_le(resident_kib() - resident, 512);
}

TEST(a_limited_source_has_one_line_in_30_seconds)
{
	struct in6_addr address = ip("::ffff:192.0.2.1");
	int lines = 0;

	for (int64_t now = START; now < START + 61 * SECOND; now += MILLISECOND)
		lines += take_from(&address, 100, 1, now).log_due;
	ck_assert_int_eq(lines, 3);
	/* Not limited: nothing to say. */
	ck_assert(!take_from(&address, 100, 1, START + 99 * SECOND).log_due);
}

TEST(a_source_that_was_answered_after_all_has_no_line)
{
	int answered = 0;

	for (uint32_t i = 0; i < 200; i++) {
		struct in6_addr address = numbered_ipv4(i);
		int64_t now = START + i * 2 * SECOND;
		struct rate_grant grant;

		take_from(&address, 1, 1, now);
		grant = take_from(&address, 1, 1, now);
		ck_assert_int_eq(grant.log_due, grant.allowed == 0);
		answered += grant.allowed == 1;
	}
	ck_assert_int_gt(answered, 0);
}

TEST(ten_thousand_limited_sources_have_one_line_a_second)
{
	int lines = 0, seconds = 5;

	for (int64_t now = START; now < START + seconds * SECOND; now += 100 * MILLISECOND) {
		for (uint32_t i = 0; i < 10000; i++) {
			struct in6_addr address = numbered_ipv4(i);

			lines += take_from(&address, 1, 10, now).log_due;
		}
	}
	ck_assert_int_eq(lines, seconds);
}

TEST(a_clock_set_back_mutes_the_log_for_one_period_at_most)
{
	struct in6_addr address = ip("::ffff:192.0.2.1");
	int64_t back = START - 900 * SECOND;

	ck_assert(take_from(&address, 1, 50, START).log_due);
	/* A worker that is a little late is no reason for another line. */
	ck_assert(!take_from(&address, 1, 50, START - 1).log_due);
	ck_assert(take_from(&address, 1, 50, back).log_due);
}

static bool has_line(const char *source, int64_t now)
{
	struct in6_addr address = ip(source);

	return take_from(&address, 1, 50, now).log_due;
}

TEST(a_period_without_lines_ends_on_time)
{
	ck_assert(has_line("::ffff:192.0.2.1", START));
	ck_assert(!has_line("::ffff:192.0.2.2", START + SECOND - 1));
	ck_assert(has_line("::ffff:192.0.2.2", START + SECOND));
	ck_assert(!has_line("::ffff:192.0.2.1", START + 30 * SECOND - 1));
	ck_assert(has_line("::ffff:192.0.2.1", START + 30 * SECOND));
	ck_assert(!has_line("::ffff:192.0.2.1", START + 1));
	ck_assert(has_line("::ffff:192.0.2.1", START)); /* the clock was set back */
}

TEST(no_memory_is_reported)
{
	struct rlimit before, none;

	ck_assert_int_eq(getrlimit(RLIMIT_AS, &before), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = before.rlim_max};
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &none), 0);
	struct rate_limit *refused = rate_limit_new();
	ck_assert_int_eq(setrlimit(RLIMIT_AS, &before), 0);
	ck_assert_ptr_null(refused);
	rate_limit_free(NULL);
}

enum { THREADS = 4, HAMMER_RATE = 10000, HAMMER_STEPS = 100000 };

struct hammer {
	atomic_ullong allowed;
	atomic_int lines;
	atomic_uint number;
};

/* In real time, so that a thread that has to wait is late by what workers may be late too. */
static void *hammer_limit(void *argument)
{
	struct hammer *hammer = argument;
	struct in6_addr flooder = ip("2001:db8::bad");
	uint32_t number = (atomic_fetch_add(&hammer->number, 1) + 1) << 24;
	uint64_t state = number;

	for (uint32_t i = 0; i < HAMMER_STEPS; i++) {
		int64_t now = clock_now();
		struct in6_addr other = numbered_ipv4(number + i);
		struct rate_grant grant =
			rate_limit_take(limit, TAG, &flooder, HAMMER_RATE, 1, now, &state);

		atomic_fetch_add(&hammer->allowed, grant.allowed);
		atomic_fetch_add(&hammer->lines, grant.log_due);
		rate_limit_take(limit, TAG, &other, HAMMER_RATE, 1, now, &state);
	}
	return NULL;
}

TEST(threads_share_one_budget_for_a_source)
{
	struct hammer hammer = {.allowed = 0};
	pthread_t threads[THREADS];
	int64_t began = clock_now(), took;

	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, hammer_limit, &hammer), 0);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	took = clock_now() - began;
	ck_assert_int_ge((int64_t)hammer.allowed, HAMMER_RATE);
	ck_assert_int_le((int64_t)hammer.allowed,
			 HAMMER_RATE * 9 / 8 + 2 * HAMMER_RATE * took / SECOND + 2 * THREADS);
	ck_assert_int_eq(hammer.lines, 1 + took / (30 * SECOND));
}

enum { RACERS = 2, RACES = 20000 };

struct race {
	atomic_uint racers;
	atomic_uint arrived; /* at the start, over all races */
	atomic_uint lines[RACES];
};

/* At one time, as close together as can be: for one and the same source, and each for its own. */
static void *race_for_the_line(void *argument)
{
	struct race *race = argument;
	struct in6_addr sources[] = {numbered_ipv4(0),
				     numbered_ipv4(atomic_fetch_add(&race->racers, 1) + 1)};
	uint64_t state = 1;

	for (unsigned i = 0; i < RACES; i++) {
		int64_t now = START + i * 31 * SECOND;
		struct rate_grant grant;

		bool last = atomic_fetch_add(&race->arrived, 1) + 1 == RACERS * (i + 1);

		/* The last to arrive starts first: delay it by a varying moment. */
		for (volatile unsigned wait = last ? i / 2 % 128 : 0; wait > 0; wait--)
			;
		for (int spun = 0; atomic_load(&race->arrived) < RACERS * (i + 1); spun++) {
			if (spun > 1000)
				sched_yield();
		}
		grant = rate_limit_take(limit, TAG, &sources[i % 2], 10, 1000, now, &state);
		atomic_fetch_add(&race->lines[i], grant.log_due);
	}
	return NULL;
}

TEST(threads_write_one_line_between_them)
{
	static struct race race;
	pthread_t threads[RACERS];

	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, race_for_the_line, &race), 0);
	for (int i = 0; i < RACERS; i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < RACES; i++)
		ck_assert_uint_eq(race.lines[i], 1);
}
