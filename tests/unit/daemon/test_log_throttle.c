/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The bound on lines that a remote can trigger: how many pass, and that none goes uncounted. */

#include "config.h"

#include <event2/event.h>
#include <pthread.h>

#include "daemon/log.h"
#include "support/test.h"
#include "unit/log_lines.h"

TEST(a_throttle_lets_a_burst_through_and_counts_the_rest)
{
	struct log_throttle throttle = {.period_ms = 1000, .burst = 3};
	unsigned suppressed;

	for (int i = 0; i < 3; i++) {
		ck_assert(log_throttle_pass(&throttle, 5000 + i, &suppressed));
		ck_assert_uint_eq(suppressed, 0);
	}
	for (int i = 0; i < 40; i++)
		ck_assert(!log_throttle_pass(&throttle, 5900, &suppressed));
	ck_assert(!log_throttle_pass(&throttle, 5999, &suppressed));
	ck_assert(log_throttle_pass(&throttle, 6000, &suppressed));
	ck_assert_uint_eq(suppressed, 41);
	ck_assert(log_throttle_pass(&throttle, 6001, &suppressed));
	ck_assert_uint_eq(suppressed, 0);
}

TEST(a_throttle_of_one_line_keeps_a_whole_period_between_lines)
{
	struct log_throttle throttle = {.period_ms = 30000, .burst = 1};
	unsigned suppressed;

	ck_assert(log_throttle_pass(&throttle, 59000, &suppressed));
	ck_assert(!log_throttle_pass(&throttle, 60000, &suppressed));
	ck_assert(!log_throttle_pass(&throttle, 88999, &suppressed));
	ck_assert(log_throttle_pass(&throttle, 89000, &suppressed));
	ck_assert_uint_eq(suppressed, 2);
}

TEST(a_clock_read_a_moment_ago_does_not_open_a_window)
{
	struct log_throttle throttle = {.period_ms = 1000, .burst = 1};
	unsigned suppressed;

	ck_assert(log_throttle_pass(&throttle, 5000, &suppressed));
	ck_assert(!log_throttle_pass(&throttle, 3000, &suppressed));
}

#define TRIES 50000

struct party {
	struct log_throttle throttle;
	_Atomic unsigned passed;
	_Atomic unsigned told;
};

static void *try_many(void *argument)
{
	struct party *party = argument;
	unsigned suppressed;

	for (int64_t i = 0; i < TRIES; i++) {
		if (log_throttle_pass(&party->throttle, 10000, &suppressed))
			atomic_fetch_add(&party->passed, 1);
		atomic_fetch_add(&party->told, suppressed);
	}
	return NULL;
}

TEST(threads_share_a_throttle_and_no_line_is_uncounted)
{
	static struct party party = {.throttle = {.period_ms = 1000, .burst = 100}};
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, try_many, &party), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_eq(party.passed, 100);
	ck_assert_uint_eq(party.passed + party.told + party.throttle.suppressed, 4 * TRIES);
}

/* A remote may cause them, one for each connection. */
TEST(libevent_cannot_flood_the_log)
{
	struct event *event = event_new(NULL, -1, EV_PERSIST, NULL, NULL);
	unsigned lines = 0;

	log_lines_begin(LEVEL_WARNING);
	log_adopt_libevent();
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(event_add(event, NULL), -1);
	event_free(event);
	for (const char *at = log_lines(); (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	ck_assert_uint_ge(lines, 10);
	ck_assert_uint_lt(lines, 50); /* 10 a second, and this may take some */
	log_lines_end();
}
