/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Streams when the daemon stops: who is ended at once, who is waited for, and nothing is lost. */

#include "config.h"

#include "echod/stream/echo.h"

#include "support/test.h"
#include "unit/scene_time.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"
#define SMALL_BUFFER 4608
#define LINGER_MS 2000

TEST_CASE("stop", scene_open, scene_close);

TEST(a_stop_ends_idle_connections_at_once)
{
	struct service *service = scene_service(PLAIN, "x");
	int one = scene_connect_tcp(service, 0), other = scene_connect_unix(service, 0);

	connections_drain(&scene_loop);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_SHUTDOWN), 2);
	scene_expect_end(one);
	scene_expect_end(other);
	close(one);
	close(other);
}

TEST(a_stop_answers_what_was_sent_before)
{
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), 0);

	ck_assert_int_eq(send(fd, "last words", 10, 0), 10);
	connections_drain(&scene_loop);
	scene_expect(fd, "last words");
	scene_expect_end(fd);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_SHUTDOWN), 0);
	close(fd);
	TURN_UNTIL(scene_count(TCP_CLOSED_SHUTDOWN) == 1);
}

TEST(a_stop_waits_for_a_slow_reader)
{
	static char data[1 << 16];
	int fd = scene_connect_unix(scene_service(PLAIN, "x"), SMALL_BUFFER);
	uint64_t got = 0;
	ssize_t taken;

	scene_stall(fd);
	connections_drain(&scene_loop);
	do {
		pass(STEP_MS);
		taken = scene_take(fd, data, 10000);
		got += taken > 0 ? (uint64_t)taken : 0;
	} while (taken != 0);
	ck_assert_uint_eq(got, scene_count(TCP_RECEIVED_BYTES));
	close(fd);
	TURN_UNTIL(scene_count(TCP_CLOSED_SHUTDOWN) == 1);
}

TEST(a_stop_is_over_as_soon_as_the_client_has_read)
{
	int fd = scene_connect_unix(scene_service(PLAIN, "x"), 0);

	ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	TURN_UNTIL(scene_count(TCP_SENT_BYTES) == 1);
	connections_drain(&scene_loop);
	pass(3 * LINGER_MS); /* drain_timeout says how long it may take, nothing else does */
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
	scene_expect(fd, "x");
	scene_expect_end(fd);
	pass(500 + STEP_MS); /* it need not close its end */
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_SHUTDOWN), 1);
	close(fd);
}

TEST(a_stop_returns_all_that_a_client_sent_that_was_held_up)
{
	static char data[1 << 16];
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), SMALL_BUFFER);
	size_t sent = 0, got = 0;
	ssize_t taken;

	for (int stuck = 0; stuck<20; stuck = taken> 0 ? 0 : stuck + 1) {
		taken = send(fd, data, sizeof(data), MSG_DONTWAIT);
		sent += taken > 0 ? (size_t)taken : 0;
		scene_turn();
	}
	connections_drain(&scene_loop);
	while (got < sent) {
		TURN_UNTIL((taken = scene_take(fd, data, sizeof(data))) >= 0);
		ck_assert_msg(taken > 0, "%zu of %zu bytes came back", got, sent);
		got += (size_t)taken;
	}
	while ((taken = scene_take(fd, data, 1)) < 0)
		pass(STEP_MS);
	ck_assert_int_eq(taken, 0);
	close(fd);
}

TEST(a_stop_does_not_reset_what_is_still_unread)
{
	static char data[1000000], echo[1000000];
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), 0);
	size_t sent = 0, got = 0;
	ssize_t taken;

	fill(data, sizeof(data), 1);
	while (scene_count(TCP_SENT_BYTES) < sizeof(data)) {
		taken = send(fd, data + sent, sizeof(data) - sent, MSG_DONTWAIT);
		sent += taken > 0 ? (size_t)taken : 0;
		scene_turn();
	}
	connections_drain(&scene_loop);
	ck_assert_int_eq(send(fd, "more", 4, MSG_NOSIGNAL), 4);
	do {
		TURN_UNTIL((taken = scene_take(fd, echo + got, sizeof(echo) - got)) >= 0);
		got += (size_t)taken;
	} while (taken > 0 && got < sizeof(echo));
	ck_assert_uint_eq(got, sizeof(data));
	ck_assert_mem_eq(echo, data, got);
	close(fd);
}

TEST(an_abort_resets_the_rest)
{
	struct service *service = scene_service(PLAIN, "x");
	int stalled = scene_connect_tcp(service, SMALL_BUFFER), idle;

	scene_stall(stalled);
	idle = scene_connect_tcp(service, 0);
	connections_abort(&scene_loop);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_SHUTDOWN), 2);
	scene_expect_reset(stalled);
	scene_expect_reset(idle);
	close(stalled);
	close(idle);
}

TEST(an_abort_tells_what_was_ending_already_apart)
{
	int fd = scene_connect_tcp(scene_service(PLAIN "reply_once = yes\n", "x"), 0);

	ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	scene_expect(fd, "x");
	scene_expect_end(fd);
	connections_abort(&scene_loop);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_REPLIED), 1);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_SHUTDOWN), 0);
	close(fd);
}
