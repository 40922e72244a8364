/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Streams that end because their time is over, on a clock that the test moves; and when the daemon
 * stops: which are ended at once, which are waited for, and that nothing is lost.
 */

#include "config.h"

#include <event2/event.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "echod/stream/connection_time.h"
#include "echod/stream/echo.h"
#include "support/test.h"
#include "unit/scene_time.h"

#define TIMES "[listener x]\naddress = 127.0.0.1:0\nidle_timeout = 10s\nstall_timeout = 20s\n"
#define NEVER "[listener x]\naddress = 127.0.0.1:0\nidle_timeout = 0\nstall_timeout = 0\n"
#define SMALL_BUFFER 4608
#define STEADY_BYTES (64 * 1024)
#define LINGER_MS 2000
#define LATE_MS (250 + 2 * STEP_MS)
#define DAY_MS (24 * 3600 * INT64_C(1000))

/* It is there just before MS have passed, and gone by WHY soon after. */
static void expect_closed_after(int64_t ms, enum counter why)
{
	pass(ms - STEP_MS);
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
	ck_assert_uint_eq(scene_count(why), 0);
	pass(LATE_MS);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	ck_assert_uint_eq(scene_count(why), 1);
}

/* The client's kernel has acknowledged everything, which it may take its time for. */
static void expect_taken(void)
{
	WAIT_UNTIL(connection_unread(scene_connection()) == 0);
}

TEST_CASE("end", scene_open, scene_close);

TEST(an_idle_connection_is_closed_in_time)
{
	int fd = scene_connect_tcp(scene_service(TIMES, "x"), 0);

	expect_closed_after(10000, TCP_CLOSED_IDLE);
	scene_expect_end(fd);
}

static int note_timer(const struct event_base *base UNUSED, const struct event *event, void *arg)
{
	int64_t *first = arg;
	int64_t due = event->ev_timeout.tv_sec * 1000 + event->ev_timeout.tv_usec / 1000;

	if (event_pending(event, EV_TIMEOUT, NULL) && due < *first)
		*first = due;
	return 0;
}

TEST(a_new_connection_sets_no_timer_but_that_of_its_end)
{
	int64_t first = INT64_MAX;

	scene_connect_tcp(scene_service(TIMES, "x"), 0);
	event_base_foreach_event(scene_loop.base, note_timer, &first);
	ck_assert_int_ge(first, fake_ms + 10000);
	ck_assert_int_ne(first, INT64_MAX);
}

TEST(a_message_starts_the_idle_time_anew)
{
	int fd = scene_connect_tcp(scene_service(TIMES, "x"), 0);

	for (int i = 0; i < 5; i++) {
		pass(9000);
		scene_exchange(fd, "x", "x");
	}
	expect_taken();
	expect_closed_after(10000, TCP_CLOSED_IDLE);
}

TEST(zero_is_never)
{
	struct service *service = scene_service(NEVER, "x");
	int idle = scene_connect_tcp(service, 0);

	for (int i = 0; i < 30 * 24; i++) {
		fake_ms += DAY_MS / 24;
		scene_turn();
	}
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
	scene_stall(idle);
	for (int i = 0; i < 30 * 24; i++) {
		fake_ms += DAY_MS / 24;
		scene_turn();
	}
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
}

TEST(a_client_that_leaves_its_echo_unread_is_closed_in_time)
{
	int fd = scene_connect_unix(scene_service(TIMES, "x"), SMALL_BUFFER);

	scene_stall(fd);
	expect_closed_after(20000, TCP_CLOSED_STALL);
}

TEST(a_client_that_leaves_its_echo_unread_gets_a_reset)
{
	static char data[50000];
	int fd = scene_connect_tcp(scene_service(TIMES, "x"), SMALL_BUFFER), arrived = 0;
	int server = event_get_fd(&scene_connection()->event);

	/* The client's kernel takes the first, but not the second as well. */
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &(int){2048}, sizeof(int)), 0);
	for (unsigned i = 1; i <= 2; i++) {
		ck_assert_int_eq(send(fd, data, sizeof(data), 0), sizeof(data));
		WAIT_UNTIL(ioctl(server, SIOCINQ, &arrived) == 0 && arrived == sizeof(data));
		TURN_UNTIL(scene_count(TCP_RECEIVED_BYTES) == i * sizeof(data));
	}
	/* All was read, so nothing but our wish makes the kernel say that something is lost. */
	expect_closed_after(20000, TCP_CLOSED_STALL);
	scene_expect_reset(fd);
}

TEST(a_drip_does_not_help_a_staller)
{
	int fd = scene_connect_unix(scene_service(TIMES, "x"), SMALL_BUFFER);
	uint64_t sent = 0;
	char data[2048];

	scene_stall(fd);
	for (int i = 0; i < 19; i++) {
		sent = scene_count(TCP_SENT_BYTES);
		ck_assert_int_gt(scene_take(fd, data, sizeof(data)), 0);
		pass(1000);
	}
	ck_assert_uint_gt(scene_count(TCP_SENT_BYTES), 2 * sizeof(data));
	ck_assert_uint_ge(scene_count(TCP_SENT_BYTES), sent);
	expect_closed_after(1000, TCP_CLOSED_STALL);
}

TEST(a_client_that_reads_steadily_is_no_staller)
{
	int fd = scene_connect_unix(scene_service(TIMES, "x"), SMALL_BUFFER);
	static char data[STEADY_BYTES];
	uint64_t enough;

	/* All that the client's kernel takes waits when it is read. */
	while (send(fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		;
	scene_stall(fd);
	ck_assert_uint_gt(scene_connection()->rest_size, 2 * STEADY_BYTES);
	for (int i = 0; i < 2; i++) {
		enough = scene_count(TCP_SENT_BYTES) + STEADY_BYTES;
		TURN_UNTIL((scene_take(fd, data, SMALL_BUFFER),
			    scene_count(TCP_SENT_BYTES) >= enough));
		pass(15000);
	}
	ck_assert_uint_eq(scene_loop.streams->connections, 1);
	expect_closed_after(5000, TCP_CLOSED_STALL);
}

static void read_all(int fd)
{
	static char data[1 << 16];

	while (connection_unread(scene_connection()) > 0) {
		while (scene_take(fd, data, sizeof(data)) > 0)
			;
		scene_turn();
	}
}

TEST(each_stall_counts_from_its_own_start)
{
	int fd = scene_connect_unix(scene_service(TIMES, "x"), SMALL_BUFFER);

	for (int i = 0; i < 3; i++) {
		scene_stall(fd);
		pass(19000);
		read_all(fd);
	}
	expect_closed_after(10000, TCP_CLOSED_IDLE); /* and the idle time from the end of it */
}

TEST(new_settings_hold_for_live_connections)
{
	struct service *service = scene_service(NEVER, "x");

	scene_connect_tcp(service, 0);
	pass(15000);
	service_follow(service, scene_service(TIMES, "x"));
	connections_reschedule(&scene_loop);
	expect_closed_after(STEP_MS, TCP_CLOSED_IDLE); /* its time was over already */
}

TEST(after_our_fin_we_listen_on_for_two_seconds)
{
	int fd = scene_connect_tcp(scene_service(TIMES "reply_once = yes\n", "x"), 0);

	scene_exchange(fd, "x", "x");
	scene_expect_end(fd);
	expect_taken();
	expect_closed_after(LINGER_MS, TCP_CLOSED_REPLIED);
}

TEST(after_our_fin_we_take_so_many_bytes)
{
	static char data[1 << 16];
	int fd = scene_connect_unix(scene_service(TIMES "reply_once = yes\n", "x"), 0);
	size_t sent = 0;

	scene_exchange(fd, "x", "x");
	while (scene_loop.streams->connections > 0) {
		ssize_t n = send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL);

		sent += n > 0 ? (size_t)n : 0;
		ck_assert_uint_lt(sent, 20 << 20);
		scene_turn();
	}
	ck_assert_uint_ge(sent, 16 << 20);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_REPLIED), 1);
}

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"

TEST(a_stop_ends_idle_connections_at_once)
{
	struct service *service = scene_service(PLAIN, "x");
	int one = scene_connect_tcp(service, 0), other = scene_connect_unix(service, 0);

	connections_drain(&scene_loop);
	ck_assert_uint_eq(scene_loop.streams->connections, 0);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_SHUTDOWN), 2);
	scene_expect_end(one);
	scene_expect_end(other);
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
}

TEST(a_stop_returns_all_that_a_client_sent_that_was_held_up)
{
	static char data[1 << 16], back[16 << 20];
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), SMALL_BUFFER);
	size_t sent = 0;
	ssize_t taken;

	for (int stuck = 0; stuck<20; stuck = taken> 0 ? 0 : stuck + 1) {
		taken = send(fd, data, sizeof(data), MSG_DONTWAIT);
		sent += taken > 0 ? (size_t)taken : 0;
		scene_turn();
	}
	connections_drain(&scene_loop);
	scene_read(fd, back, sent);
	while ((taken = scene_take(fd, data, 1)) < 0)
		pass(STEP_MS);
	ck_assert_int_eq(taken, 0);
}

TEST(a_stop_does_not_reset_what_is_still_unread)
{
	static char data[1000000], echo[1000000];
	int fd = scene_connect_tcp(scene_service(PLAIN, "x"), 0);
	size_t sent = 0;
	ssize_t taken;

	fill(data, sizeof(data), 1);
	while (scene_count(TCP_SENT_BYTES) < sizeof(data)) {
		taken = send(fd, data + sent, sizeof(data) - sent, MSG_DONTWAIT);
		sent += taken > 0 ? (size_t)taken : 0;
		scene_turn();
	}
	connections_drain(&scene_loop);
	ck_assert_int_eq(send(fd, "more", 4, MSG_NOSIGNAL), 4);
	scene_read(fd, echo, sizeof(echo));
	ck_assert_mem_eq(echo, data, sizeof(data));
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
}

TEST(an_abort_counts_what_was_ending_already_by_its_reason)
{
	int fd = scene_connect_tcp(scene_service(PLAIN "reply_once = yes\n", "x"), 0);

	scene_exchange(fd, "x", "x");
	scene_expect_end(fd);
	connections_abort(&scene_loop);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_REPLIED), 1);
	ck_assert_uint_eq(scene_count(TCP_CLOSED_SHUTDOWN), 0);
}
