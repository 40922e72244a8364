/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Echo that only the kernel holds: a connection stays, and counts, until its client has taken all
 * of it, and is reset when the client takes nothing. The clock is moved by the test.
 */

#include "config.h"

#include "echod/stream/echo.h"

#include "echod/guard/client_table.h"
#include "echod/stream/connection_time.h"
#include "support/test.h"
#include "unit/scene_time.h"

#define TIMES "[listener x]\naddress = 127.0.0.1:0\nidle_timeout = 60s\nstall_timeout = 20s\n"
#define HASTY "[listener x]\naddress = 127.0.0.1:0\nidle_timeout = 10s\nstall_timeout = 20s\n"
#define NEVER "[listener x]\naddress = 127.0.0.1:0\nidle_timeout = 0\nstall_timeout = 0\n"
#define STALL_MS 20000
#define LINGER_MS 2000
#define FLUSH_MS 120000
#define LATE_MS (2 * 250 + 2 * STEP_MS) /* two looks, each late by as much as it may be */

static int (*const connects[])(struct service *, int) = {scene_connect_tcp, scene_connect_unix};

/* It is there just before MS have passed, and gone by WHY soon after. */
static void expect_closed_after(int64_t ms, enum counter why)
{
	pass(ms - STEP_MS);
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
	ck_assert_uint_eq(scene_clients(), 1);
	pass(LATE_MS);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	ck_assert_uint_eq(scene_clients(), 0);
	ck_assert_uint_eq(scene_count(why), 1);
}

/* A client that has no room, so that what comes back stays with the server's kernel. */
static int deaf_client(const char *text, int family)
{
	static char data[50000];
	int fd = connects[family](scene_service(text, "x"), 0);
	const struct connection *connection = scene_connection();

	if (family == 0)
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){2048}, sizeof(int)),
				 0);
	/* On TCP the client's kernel takes the first, but not the second as well. */
	for (unsigned i = 1; i <= 2; i++) {
		size_t sent = 0;

		while (sent < sizeof(data)) {
			ssize_t n = send(fd, data + sent, sizeof(data) - sent, MSG_DONTWAIT);

			sent += n > 0 ? (size_t)n : 0;
			scene_turn();
		}
		TURN_UNTIL(scene_count(TCP_SENT_BYTES) == i * sizeof(data));
	}
	ck_assert_ptr_eq(connection->stage, &stage_reading);
	ck_assert_uint_gt(connection_unread(connection), 0);
	return fd;
}

/* The client is done, but what it has not read is still there. */
static void finish(int fd)
{
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	TURN_UNTIL(scene_connection()->stage == &stage_flushing);
}

/* Takes all that has come; how much that was. */
static size_t take_all(int fd)
{
	static char data[1 << 16];
	size_t total = 0;
	ssize_t taken;

	while ((taken = scene_take(fd, data, sizeof(data))) > 0)
		total += (size_t)taken;
	return total;
}

TEST_CASE("flush", scene_open, scene_close);

TEST_EACH(a_client_that_is_done_counts_until_it_has_read, 2)
{
	int fd = deaf_client(TIMES, _i);
	size_t got = 0;

	finish(fd);
	pass(STALL_MS / 2);
	ck_assert_uint_eq(scene_clients(), 1);
	TURN_UNTIL((got += take_all(fd)) == scene_count(TCP_SENT_BYTES));
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_CLIENT), 1);
	ck_assert_uint_eq(scene_clients(), 0);
	scene_expect_end(fd);
}

/* In stall_timeout, or without one in two minutes. */
TEST_EACH(a_client_that_is_done_and_reads_nothing_is_reset_in_time, 4)
{
	finish(deaf_client(_i < 2 ? TIMES : NEVER, _i % 2));
	expect_closed_after(_i < 2 ? STALL_MS : FLUSH_MS, TCP_CLOSED_STALL);
}

TEST_EACH(new_settings_hold_for_connections_that_are_over, 2)
{
	finish(deaf_client(NEVER, _i));
	pass(STALL_MS / 2);
	service_follow(scene_connection()->service, scene_service(TIMES, "x"));
	connections_reschedule(&scene_loop);
	expect_closed_after(STALL_MS / 2, TCP_CLOSED_STALL);
}

TEST_EACH(a_client_that_is_done_and_goes_away_is_no_stall, 2)
{
	int fd = deaf_client(TIMES, _i);

	finish(fd);
	reset(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_CLIENT), 1);
}

TEST_EACH(an_idle_client_with_unread_echo_counts_until_it_has_read, 2)
{
	int fd = deaf_client(HASTY, _i);

	pass(10000 + LATE_MS);
	ck_assert_ptr_eq(scene_connection()->stage, &stage_flushing);
	TURN_UNTIL((take_all(fd), scene_loop.streams->connections == 0));
	ck_assert_uint_eq(scene_count(TCP_CLOSED_IDLE), 1);
}

TEST_EACH(after_lingering_a_client_counts_until_it_has_read, 2)
{
	int fd = deaf_client(TIMES, _i);

	service_follow(scene_connection()->service, scene_service(TIMES "reply_once = yes\n", "x"));
	ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	TURN_UNTIL(scene_connection()->stage == &stage_lingering);
	pass(LINGER_MS + LATE_MS);
	ck_assert_ptr_eq(scene_connection()->stage, &stage_flushing);
	TURN_UNTIL((take_all(fd), scene_loop.streams->connections == 0));
	ck_assert_uint_eq(scene_count(TCP_CLOSED_REPLIED), 1);
}

static int error_of(int fd)
{
	int error = 0;
	socklen_t size = sizeof(error);

	ck_assert_int_eq(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size), 0);
	return error;
}

TEST(an_abort_resets_what_is_unread_and_keeps_the_reason)
{
	int fd = deaf_client(TIMES, 0);

	finish(fd);
	connections_drain(&scene_loop);
	pass(STALL_MS / 2);
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
	connections_abort(&scene_loop);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_CLIENT), 1);
	WAIT_UNTIL(error_of(fd) == ECONNRESET);
}

TEST_EACH(echo_in_the_kernel_alone_is_a_stall_too, 2)
{
	int64_t begun = fake_ms;

	deaf_client(TIMES, _i);
	ck_assert_int_eq(fake_ms, begun);
	expect_closed_after(2 * STALL_MS, TCP_CLOSED_STALL);
}

TEST(to_send_now_and_then_renews_nothing)
{
	int fd = deaf_client(TIMES, 0);

	for (int i = 0; i < 39; i++) {
		pass(1000);
		ck_assert_int_eq(send(fd, "x", 1, MSG_NOSIGNAL), 1);
	}
	expect_closed_after(1000, TCP_CLOSED_STALL);
}

TEST(a_client_that_reads_slowly_is_not_reset)
{
	char data[4096];
	int fd = scene_connect_unix(scene_service(HASTY, "x"), 0);

	for (int i = 0; i < 100; i++) {
		ck_assert_int_eq(send(fd, data, sizeof(data), MSG_DONTWAIT), sizeof(data));
		scene_turn();
		if (i < 2)
			continue;
		ck_assert_int_gt(scene_take(fd, data, sizeof(data)), 0);
		pass(8000);
	}
	ck_assert_ptr_eq(scene_connection()->stage, &stage_reading);
	ck_assert_uint_gt(connection_unread(scene_connection()), 0);
}
