/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Sessions: whose they are, when they begin anew, who gets a place, and what a flood costs. */

#include "config.h"

#include "echod/guard/sessions.h"

#include "base/clock.h"
#include "echod/guard/session_places.h"
#include "unit/sources.h"

#define SECOND ((int64_t)NS_PER_S)
#define IDLE (60 * SECOND)
#define START (1000 * SECOND)

static struct sessions *sessions;
static struct session_key key;
static int64_t now;

static void begin_with(size_t count)
{
	sessions_release(sessions);
	sessions = sessions_new(count);
	ck_assert_ptr_nonnull(sessions);
}

static void set_up(void)
{
	now = START;
	key = (struct session_key){.own = ip("::ffff:192.0.2.1"),
				   .own_port = 862,
				   .source = ip("::ffff:192.0.2.9"),
				   .source_port = 40000,
				   .ssid = 1};
	begin_with(64);
}

static void tear_down(void)
{
	sessions_release(sessions);
	sessions = NULL;
}

static struct session *enter(void)
{
	return sessions_enter(sessions, &key, false, now);
}

/* Number N of sessions that differ by their source. */
static struct session *enter_number(uint32_t n)
{
	key.source = numbered_ipv4(n + 1);
	return enter();
}

static void expect_books(const struct session *session, uint32_t received, uint32_t transmitted,
			 uint64_t sent_at)
{
	ck_assert_ptr_nonnull(session);
	ck_assert_uint_eq(session_received(session), received);
	ck_assert_uint_eq(session_transmitted(session), transmitted);
	ck_assert_uint_eq(session_sent_at(session), sent_at);
}

TEST_CASE("sessions", set_up, tear_down);

TEST(every_part_of_the_key_makes_another_session)
{
	struct session_key first = key, others[] = {key, key, key, key, key, key};
	struct session *session = enter();

	others[0].own = ip("::ffff:192.0.2.2");
	others[1].own_port = 863;
	others[2].source = ip("::ffff:192.0.2.8");
	others[3].source_port = 40001;
	others[4].ssid = 2;
	others[5].scope = 1;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		key = others[i];
		expect_books(enter(), 1, 0, 0);
	}
	key = first;
	ck_assert_ptr_eq(enter(), session);
	expect_books(session, 2, 0, 0);
	ck_assert_uint_eq(sessions_count(sessions, now), 1 + ARRAY_SIZE(others));
}

TEST(what_is_counted_is_there_when_its_owner_comes_again)
{
	struct session *session = enter();

	session_count_transmitted(session, 17);
	now += IDLE - SECOND;
	ck_assert_ptr_eq(enter(), session);
	expect_books(session, 2, 1, 17);
	session_count_unanswered(session);
	now += IDLE - SECOND;
	ck_assert_ptr_eq(sessions_find(sessions, &key, now), session);
	expect_books(session, 2, 1, 17);
	ck_assert_uint_eq(session_unanswered(session), 1);
}

TEST(what_was_not_sent_is_taken_back)
{
	struct session *session = enter();

	session_count_transmitted(session, 17);
	session_count_transmitted(session, 19);
	session_take_back(session, 17);
	expect_books(session, 1, 1, 17);
	session_take_back(session, 0);
	expect_books(session, 1, 0, 0);
}

TEST(a_minute_of_silence_ends_a_session)
{
	session_count_transmitted(enter(), 17);
	now += IDLE;
	ck_assert_ptr_null(sessions_find(sessions, &key, now));
	expect_books(enter(), 1, 0, 0);
	ck_assert_uint_eq(sessions_count(sessions, now), 1);
}

/* Also where the wheel has so much to do that it does not come to this one. */
TEST(a_silent_session_begins_anew_where_it_is)
{
	struct session *session;

	begin_with(1000);
	for (uint32_t n = 0; n < 999; n++)
		ck_assert_ptr_nonnull(enter_number(n));
	now += SECOND;
	session = enter_number(999);
	session_count_transmitted(session, 17);
	session_count_unanswered(session);
	now += IDLE;
	ck_assert_ptr_eq(enter(), session);
	expect_books(session, 1, 0, 0);
	ck_assert_uint_eq(session_unanswered(session), 0);
}

TEST(a_session_begins_anew_when_asked)
{
	struct session *session = enter();

	session_count_transmitted(session, 17);
	ck_assert_ptr_eq(sessions_enter(sessions, &key, true, now), session);
	expect_books(session, 1, 1, 17);
	session_begin_replies(session);
	expect_books(session, 1, 0, 0);
	key.ssid++;
	expect_books(sessions_enter(sessions, &key, true, now), 1, 0, 0);
}

TEST(finding_begins_nothing)
{
	ck_assert_ptr_null(sessions_find(sessions, &key, now));
	ck_assert_uint_eq(sessions_count(sessions, now), 0);
}

/* Every size is used to the last entry, and the first that is idle goes to the next at once. */
TEST(a_full_table_has_room_again_when_one_is_idle)
{
	static const uint32_t sizes[] = {1, 2, 3, 16, 17, 64, 1000};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		now = START;
		begin_with(sizes[i]);
		for (uint32_t n = 0; n < sizes[i]; n++, now += SECOND / 32)
			ck_assert_ptr_nonnull(enter_number(n));
		ck_assert_ptr_null(enter_number(sizes[i]));
		ck_assert_ptr_null(enter_number(sizes[i]));
		ck_assert_uint_eq(sessions_count(sessions, now), sizes[i]);
		now = START + IDLE - SECOND / TICKS_PER_S;
		ck_assert_ptr_null(enter_number(sizes[i]));
		now = START + IDLE;
		expect_books(enter_number(sizes[i]), 1, 0, 0);
	}
}

/* The table is full for a tick only. */
TEST(no_newcomer_waits_longer_than_it_must)
{
	begin_with(2);
	ck_assert_ptr_nonnull(enter_number(0));
	now = START + IDLE - SECOND / TICKS_PER_S;
	ck_assert_ptr_nonnull(enter_number(1));
	ck_assert_ptr_null(enter_number(2));
	now = START + IDLE;
	ck_assert_ptr_nonnull(enter_number(2));
}

TEST(those_in_use_keep_their_places)
{
	struct session *first = enter_number(0);

	for (uint32_t n = 1; n < 64; n++)
		ck_assert_ptr_nonnull(enter_number(n));
	for (int minute = 0; minute < 4; minute++) {
		now += IDLE / 2;
		ck_assert_ptr_eq(enter_number(0), first);
	}
	expect_books(first, 5, 0, 0);
	for (uint32_t n = 100; n < 163; n++)
		expect_books(enter_number(n), 1, 0, 0);
	ck_assert_ptr_null(enter_number(163));
	ck_assert_ptr_eq(enter_number(0), first);
}

/* However long the table was left alone, in one go or in steps that the wheel turns through. */
TEST(all_idle_ones_make_room)
{
	static const int64_t pauses[] = {IDLE, 2 * IDLE, 100 * IDLE, SECOND * 3600 * 24 * 365};

	for (size_t i = 0; i < ARRAY_SIZE(pauses); i++) {
		for (uint32_t n = 0; n < 64; n++, now += SECOND / 8)
			expect_books(enter_number(n), 1, 0, 0);
		now += pauses[i];
	}
	ck_assert_uint_eq(sessions_count(sessions, now), 0);
}

static void expect_share(const char *const sources[2], bool same, unsigned share)
{
	key.scope = 0;
	key.source = ip(sources[0]);
	for (unsigned n = 0; n < share; n++) {
		key.source_port = (uint16_t)(1024 + n);
		ck_assert_ptr_nonnull(enter());
	}
	key.source_port++;
	ck_assert_ptr_null(enter());
	key.source = ip(sources[1]);
	ck_assert_int_eq(enter() == NULL, same);
}

TEST(a_source_has_a_sixteenth_and_at_least_16)
{
	static const char *const addresses[][2] = {{"::ffff:192.0.2.9", "::ffff:192.0.2.8"},
						   {"2001:db8::1", "2001:db8:0:1::1"},
						   {"fe80::1", "fe80::2"}};
	static const char *const network[] = {"2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff"};

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		begin_with(255);
		expect_share(addresses[i], false, 16);
		begin_with(272);
		expect_share(addresses[i], false, 17);
	}
	begin_with(640);
	expect_share(network, true, 40);
	begin_with(640);
	expect_share(addresses[2], false, 40);
	key.source = ip("fe80::1");
	ck_assert_ptr_null(enter());
	key.scope = 2; /* the same address on another link is another host */
	ck_assert_ptr_nonnull(enter());
}

TEST(a_source_that_ends_sessions_may_begin_others)
{
	begin_with(256);
	for (int round = 0; round < 3; round++, now += IDLE) {
		for (key.source_port = 1; key.source_port <= 16; key.source_port++)
			expect_books(enter(), 1, 0, 0);
		ck_assert_ptr_null(enter());
	}
}

/* Sources come and go, several in one bucket; each that is there may have 16. */
TEST(no_source_counts_for_another)
{
	begin_with(250);
	for (uint32_t round = 0; round < 20; round++, now += IDLE) {
		for (uint32_t n = 0; n < 15; n++) {
			for (key.source_port = 1; key.source_port <= 16; key.source_port++)
				ck_assert_ptr_nonnull(enter_number(round * 7 + n));
			ck_assert_ptr_null(enter());
		}
	}
}

/* A worker's clock may be behind that of the one that used a session last. */
TEST(a_clock_that_is_behind_ends_nothing)
{
	struct session *session = enter();

	now -= SECOND;
	ck_assert_ptr_eq(enter(), session);
	ck_assert_uint_eq(sessions_count(sessions, now), 1);
	now += IDLE;
	ck_assert_ptr_eq(enter(), session);
	expect_books(session, 3, 0, 0);
}

TEST(a_clock_that_is_behind_finds_room)
{
	begin_with(1);
	ck_assert_ptr_nonnull(enter());
	now += IDLE + SECOND;
	ck_assert_uint_eq(sessions_count(sessions, now), 0);
	now -= SECOND / 2;
	ck_assert_ptr_nonnull(enter());
}

/* Nobody who does not hold the lock is held up by a flood, which finds nothing: it takes none. */
TEST(a_flood_at_a_full_table_does_not_take_the_lock)
{
	for (uint32_t n = 0; n < 65; n++)
		(void)enter_number(n);
	pthread_mutex_lock(&sessions->lock);
	for (uint32_t n = 100; n < 100000; n++)
		ck_assert_ptr_null(enter_number(n));
	ck_assert_ptr_nonnull(enter_number(3)); /* nor do those who have a session */
	pthread_mutex_unlock(&sessions->lock);
}

/* Counting gives way to workers now and then, and still sees all. */
TEST(all_idle_ones_are_counted_out)
{
	begin_with(5000);
	for (uint32_t n = 0; n < 5000; n++)
		ck_assert_ptr_nonnull(enter_number(n));
	ck_assert_uint_eq(sessions_count(sessions, now), 5000);
	ck_assert_uint_eq(sessions_count(sessions, now + IDLE), 0);
}

/* As it may look to one who reads it while another worker changes it. */
TEST(a_chain_without_an_end_is_left)
{
	struct session *session;

	begin_with(1);
	session = enter();
	atomic_store(&session->next, 1);
	key.ssid++;
	ck_assert_ptr_null(sessions_find(sessions, &key, now));
}

/* A million that are used are moved on the wheel a few at a time. */
TEST(what_beginning_costs_is_bounded)
{
	uint32_t moved = 0;

	begin_with(10000);
	for (uint32_t n = 0; n < 10000; n++)
		ck_assert_ptr_nonnull(enter_number(n));
	now += IDLE - SECOND;
	for (uint32_t n = 0; n < 10000; n++)
		ck_assert_ptr_nonnull(enter_number(n));
	now += SECOND;
	ck_assert_ptr_null(enter_number(10000));
	for (uint32_t i = sessions->pending; i != 0; i = session_entry(sessions, i)->slot_next)
		moved++;
	ck_assert_uint_eq(moved, 10000 - 64);
}

TEST(memory_is_used_only_as_sessions_are)
{
	begin_with(1048576);
	ck_assert_uint_eq(sizeof(struct session), 64);
	ck_assert_ptr_nonnull(enter());
	expect_books(enter(), 2, 0, 0);
}

/* Each of two holders may go first. */
TEST(the_last_holder_frees)
{
	struct sessions *held = sessions_hold(sessions);

	sessions_release(sessions);
	sessions = held;
	ck_assert_ptr_nonnull(enter());
	ck_assert_ptr_null(sessions_hold(NULL));
	sessions_release(NULL);
}
