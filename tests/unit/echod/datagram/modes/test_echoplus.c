/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* UDPEchoPlus, byte by byte: which fields are filled in, with what, and for whom it is counted. */

#include "config.h"

#include "echod/datagram/modes/echoplus.h"

#include "unit/sources.h"

#define ROOM 256

static uint8_t payload[ROOM], came[ROOM];
static struct sessions *sessions;
static struct question question;

static void set_up(void)
{
	sessions = sessions_new(1);
	ck_assert_ptr_nonnull(sessions);
}

static void tear_down(void)
{
	sessions_release(sessions);
}

/* A request of SIZE bytes from a port, that arrived at 1700000000.123456789. */
static void ask(uint16_t port, size_t size)
{
	for (size_t i = 0; i < ROOM; i++)
		payload[i] = came[i] = (uint8_t)(0xa0 + i);
	question = (struct question){
		.payload = payload,
		.size = size,
		.source = ip("::ffff:192.0.2.9"),
		.source_port = port,
		.now = INT64_C(1000000000000),
		.sessions = sessions,
		.notes.received = {.tv_sec = 1700000000, .tv_nsec = 123456789},
	};
}

/* As the path of datagrams does it. */
static void send_at(time_t seconds, long nanoseconds)
{
	struct timespec now = {.tv_sec = seconds, .tv_nsec = nanoseconds};

	echoplus_seal(&question, &now);
	if (question.session)
		session_count_transmitted(question.session, 1);
}

static void expect_field(size_t offset, uint32_t expected)
{
	const uint8_t *at = payload + offset;

	ck_assert_uint_eq((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 |
				  at[3],
			  expected);
}

static void expect_untouched(size_t from, size_t to)
{
	ck_assert_mem_eq(payload + from, came + from, to - from);
}

TEST_CASE("echoplus", set_up, tear_down);

TEST(the_server_fills_in_its_four_fields)
{
	static const size_t sizes[] = {20, 21, 23, 24, 25, 100, ROOM};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		ask(4000, sizes[i]);
		ck_assert_int_eq(echoplus_answer(&question), ANSWER);
		send_at(1700000000, 223456789);
		ck_assert_uint_eq(question.size, sizes[i]);
		expect_untouched(0, 4);
		expect_field(4, (uint32_t)i + 1);
		/* 1700000000123456 modulo 2^32 */
		expect_field(8, 1700000000123456 % (UINT64_C(1) << 32));
		expect_field(12, 1700000000223456 % (UINT64_C(1) << 32));
		expect_field(16, 0);
		expect_untouched(20, ROOM);
	}
}

TEST_EACH(what_is_shorter_than_its_header_is_echoed, 20)
{
	ask(4000, (size_t)_i);
	ck_assert_int_eq(echoplus_answer(&question), ANSWER);
	send_at(1700000000, 0);
	ck_assert_uint_eq(question.size, (size_t)_i);
	expect_untouched(0, ROOM);
	echoplus_unanswered(&question);
	ck_assert_uint_eq(sessions_count(sessions, question.now), 0);
}

TEST(times_wrap_every_71_minutes)
{
	static const struct {
		time_t seconds;
		long nanoseconds;
		uint32_t field;
	} times[] = {{4294, 967295999, 4294967295}, {4294, 967296000, 0}, {4294, 967297999, 1}};

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		ask(4000, 24);
		question.notes.received = (struct timespec){.tv_sec = times[i].seconds,
							    .tv_nsec = times[i].nanoseconds};
		ck_assert_int_eq(echoplus_answer(&question), ANSWER);
		send_at(times[i].seconds, times[i].nanoseconds);
		expect_field(8, times[i].field);
		expect_field(12, times[i].field);
	}
}

TEST(counts_wrap_at_32_bits)
{
	ask(4000, 24);
	ck_assert_int_eq(echoplus_answer(&question), ANSWER);
	session_take_back(question.session, 0); /* as if it had counted to the last number */
	send_at(0, 0);
	expect_field(4, 0);
	ask(4000, 24);
	ck_assert_int_eq(echoplus_answer(&question), ANSWER);
	send_at(0, 0);
	expect_field(4, 1);
}

TEST(what_could_not_be_answered_is_in_the_next_reply)
{
	ask(4000, 24);
	echoplus_unanswered(&question); /* of nobody known: nothing to count */
	ck_assert_int_eq(echoplus_answer(&question), ANSWER);
	send_at(0, 0);
	expect_field(16, 0);
	for (int i = 0; i < 3; i++) {
		ask(4000, 24);
		echoplus_unanswered(&question);
	}
	ask(4000, 24);
	ck_assert_int_eq(echoplus_answer(&question), ANSWER);
	echoplus_unanswered(&question); /* the kernel did not take it */
	ask(4000, 24);
	ck_assert_int_eq(echoplus_answer(&question), ANSWER);
	send_at(0, 0);
	expect_field(4, 2);
	expect_field(16, 4);
}

TEST(sources_are_counted_apart)
{
	sessions_release(sessions);
	sessions = sessions_new(2);
	for (uint32_t round = 1; round <= 3; round++) {
		for (uint16_t port = 4000; port < 4002; port++) {
			ask(port, 24);
			ck_assert_int_eq(echoplus_answer(&question), ANSWER);
			send_at(0, 0);
			expect_field(4, round);
		}
	}
	ask(4002, 24);
	ck_assert_int_eq(echoplus_answer(&question), NO_SESSION);
	ask(4002, 19);
	ck_assert_int_eq(echoplus_answer(&question), ANSWER);
}
