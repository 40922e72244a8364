/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Workers that meet at one session at the worst of moments. The modules are compiled in here, with
 * an exchange before which another worker can be let in, so that each meeting happens every time;
 * then with threads, for the sanitizer.
 */

#include "config.h"

#include "echod/guard/sessions.h"

#include <pthread.h>
#include <stdatomic.h>

#include "unit/sources.h"

/* What the other worker does before the next exchange of this thread. */
static _Thread_local void (*other_worker)(void);

static bool exchange(_Atomic uint32_t *object, uint32_t *expected, uint32_t desired)
{
	void (*meet)(void) = other_worker;

	other_worker = NULL;
	if (meet)
		meet();
	return atomic_compare_exchange_strong(object, expected, desired);
}

#undef atomic_compare_exchange_strong_explicit
#define atomic_compare_exchange_strong_explicit(object, expected, desired, success, failure)       \
	exchange(object, expected, desired)
#include "echod/guard/session_places.c" /* NOLINT(bugprone-suspicious-include) */
#include "echod/guard/sessions.c"	/* NOLINT(bugprone-suspicious-include) */

#define SECOND ((int64_t)NS_PER_S)
#define IDLE (60 * SECOND)
#define START (1000 * SECOND)

static struct sessions *table;
static int64_t now;

static void set_up(void)
{
	table = sessions_new(1);
	ck_assert_ptr_nonnull(table);
	now = START;
	other_worker = NULL;
}

static void tear_down(void)
{
	sessions_release(table);
}

static struct session *enter(uint32_t n)
{
	struct session_key whose = {.source = numbered_ipv4(n)};

	return sessions_enter(table, &whose, false, now);
}

static void others_count(void)
{
	(void)sessions_count(table, now);
}

static void others_take_the_place(void)
{
	now += IDLE;
	ck_assert_ptr_nonnull(enter(2));
	now -= IDLE;
}

static void others_use_it(void)
{
	struct session_key whose = {.source = numbered_ipv4(1)};

	now -= SECOND;
	ck_assert_ptr_nonnull(sessions_find(table, &whose, now));
	now += SECOND;
}

TEST_CASE("races", set_up, tear_down);

/* It was used for the last time just before it would have been idle; that comes too late. */
TEST(a_session_that_is_taken_away_is_not_used)
{
	ck_assert_ptr_nonnull(enter(1));
	now += IDLE - SECOND;
	other_worker = others_take_the_place;
	ck_assert_ptr_null(enter(1));
}

TEST(a_session_that_is_used_is_not_taken_away)
{
	struct session *session = enter(1);

	now += IDLE;
	other_worker = others_use_it;
	ck_assert_ptr_null(enter(2));
	ck_assert_ptr_eq(enter(1), session);
	ck_assert_uint_eq(session_received(session), 2);
}

TEST(two_that_use_a_session_both_do)
{
	struct session *session = enter(1);

	now += SECOND;
	other_worker = others_count;
	ck_assert_ptr_eq(enter(1), session);
	now += SECOND;
	other_worker = others_use_it;
	ck_assert_ptr_eq(enter(1), session);
	ck_assert_uint_eq(session_received(session), 3);
}

#define THREADS 4
#define ROUNDS 20000

/* Time flies, so that sessions begin, are taken away and are looked for all at once. */
static void *work(void *arg)
{
	uint32_t state = (uint32_t)(uintptr_t)arg;
	int64_t time = START;

	for (int i = 0; i < ROUNDS; i++, time += SECOND / 4) {
		struct session_key whose = {0};
		struct session *session;

		state = state * 1664525 + 1013904223;
		whose.source = numbered_ipv4(1 + (state >> 16) % 100);
		session = sessions_enter(table, &whose, state % 64 == 0, time);
		if (session)
			session_count_transmitted(session, 1);
		if (i % 256 == 0)
			(void)sessions_count(table, time);
	}
	return NULL;
}

TEST(threads_do_not_harm_the_table)
{
	pthread_t threads[THREADS];
	uint32_t found = 0;

	sessions_release(table);
	table = sessions_new(50);
	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	now = START + (int64_t)ROUNDS * SECOND;
	ck_assert_uint_eq(sessions_count(table, now), 0);
	for (uint32_t n = 1; n <= 50; n++)
		found += enter(n) != NULL;
	ck_assert_uint_eq(found, 50);
}
