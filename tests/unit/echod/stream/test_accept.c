/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Which clients are admitted, and what happens when descriptors run out. This program defines
 * accept4, and so decides when the kernel has none left.
 */

#include "config.h"

#include "echod/stream/accept.h"

#include <event2/event.h>
#include <limits.h>
#include <sys/time.h>

#include "echod/guard/client_table.h"
#include "support/libc.h"
#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/log_lines.h"
#include "unit/loop_scene.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"
#define ACCEPTS_PER_TURN 64
#define CROWD (ACCEPTS_PER_TURN + 6)

static struct endpoint *endpoint; /* the one served */
static int refusal;		  /* the error of accept4; 0: the kernel decides */
static unsigned refusals;	  /* how many times; 0: always */
static unsigned accepts;

int accept4(int fd, LIBC_SOCKADDR address, socklen_t *restrict length, int flags)
{
	accepts++;
	if (refusal == 0)
		return (int)syscall(SYS_accept4, fd, LIBC_SOCKADDR_OF(address), length, flags);
	errno = refusal;
	if (refusals > 0 && --refusals == 0)
		refusal = 0;
	return -1;
}

static void set_up(void)
{
	scene_open();
	log_lines_begin(LEVEL_NOTICE);
}

static void serve(const char *text)
{
	endpoint = scene_serve(scene_service(text, "x"), SOCKET_TCP, "127.0.0.1");
}

static void set_up_plain(void)
{
	set_up();
	serve(PLAIN);
}

static void tear_down(void)
{
	log_lines_end();
	scene_close();
}

static int dial(void)
{
	const struct address *to = &endpoint->socket->address;
	int fd = new_socket(to, SOCK_STREAM);

	ck_assert_int_eq(connect(fd, &to->sa, to->length), 0);
	return fd;
}

TEST_CASE("settings", set_up, tear_down);

/* When the first timer that is set will be due. */
static int first_timer(const struct event_base *base UNUSED, const struct event *event, void *first)
{
	struct timeval due;

	if (event_pending(event, EV_TIMEOUT, &due) && timercmp(&due, (struct timeval *)first, <))
		*(struct timeval *)first = due;
	return 0;
}

TEST(a_new_client_sets_no_timer_before_its_first_deadline)
{
	struct timeval now, first = {.tv_sec = LONG_MAX};

	serve(PLAIN "idle_timeout = 30s\n");
	dial();
	TURN_UNTIL(scene_loop.streams->connections == 1);
	event_base_gettimeofday_cached(scene_loop.base, &now);
	event_base_foreach_event(scene_loop.base, first_timer, &first);
	ck_assert_int_ge(first.tv_sec - now.tv_sec, 15);
}

static const struct {
	const char *text;
	uint64_t limit;
	enum counter why;
} refused[] = {
	{PLAIN "deny = 127.0.0.0/8\n", 1, TCP_REJECTED_DENIED},
	{PLAIN, 0, TCP_REJECTED_MAX_CLIENTS},
};

TEST_EACH(refused_clients_are_closed_in_silence_and_counted, ARRAY_SIZE(refused))
{
	client_table_set_limit(scene_loop.shared->clients, refused[_i].limit);
	serve(refused[_i].text);
	scene_expect_end(dial());
	ck_assert_uint_eq(scene_count(refused[_i].why), 1);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 0);
}

TEST(clients_beyond_the_limit_of_their_address_are_closed_and_counted)
{
	int fds[3];

	serve(PLAIN "max_clients_per_ip = 2\n");
	for (int i = 0; i < 3; i++)
		fds[i] = dial();
	TURN_UNTIL(scene_count(TCP_REJECTED_PER_IP) == 1);
	scene_exchange(fds[0], "x", "x");
	scene_exchange(fds[1], "x", "x");
	scene_expect_end(fds[2]);
	close(fds[0]);
	TURN_UNTIL(scene_loop.streams->connections == 1);
	scene_exchange(dial(), "x", "x"); /* room again */
}

TEST(unix_clients_have_no_address_to_judge)
{
	struct service *service =
		scene_service(PLAIN "deny = 0.0.0.0/0 ::/0\nmax_clients_per_ip = 1\n", "x");
	int one, other;

	endpoint = scene_serve(service, SOCKET_UNIX, test_path("stream"));
	one = dial();
	other = dial();
	scene_exchange(one, "x", "x");
	scene_exchange(other, "x", "x");
}

TEST_CASE("accept", set_up_plain, tear_down);

TEST(every_client_is_served)
{
	int one = dial(), other = dial();

	scene_exchange(one, "x", "x");
	scene_exchange(other, "x", "x");
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 2);
	ck_assert_uint_eq(scene_loop.streams->connections, 2);
	ck_assert_uint_eq(client_table_count(scene_loop.shared->clients), 2);
	close(one);
	close(other);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_uint_eq(client_table_count(scene_loop.shared->clients), 0);
}

TEST(a_crowd_does_not_keep_the_loop_from_its_clients)
{
	for (int i = 0; i < CROWD; i++)
		dial();
	stream_accept_ready(endpoint->socket->fd, 0, endpoint);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), ACCEPTS_PER_TURN);
	TURN_UNTIL(scene_count(TCP_ACCEPTED) == CROWD);
}

TEST(errors_of_one_connection_do_not_hold_up_the_next)
{
	static const int errors[] = {ECONNABORTED, EPROTO, ENETDOWN, EPERM, EINTR};

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		int fd = dial();

		refusal = errors[i];
		refusals = 1;
		scene_exchange(fd, "x", "x");
		ck_assert_uint_eq(scene_count(TCP_ACCEPT_ERRORS), i + 1);
		close(fd);
	}
	ck_assert_str_eq(log_lines(), "");
}

/* How often accept4 is called within MS, looking every 10 ms. */
static unsigned accepts_within(int64_t ms)
{
	unsigned before = accepts;

	for (int64_t end = fake_ms + ms; fake_ms < end;) {
		fake_ms += 10;
		scene_turn();
	}
	return accepts - before;
}

TEST_EACH(out_of_descriptors_the_queue_is_left_alone_for_a_while, 4)
{
	static const int errors[] = {EMFILE, ENFILE, ENOBUFS, ENOMEM};
	int fd = dial();

	refusal = errors[_i];
	TURN_UNTIL(accepts == 1);
	ck_assert_uint_eq(accepts_within(90), 0); /* 100 ms */
	ck_assert_uint_eq(accepts_within(20), 1); /* 200 */
	ck_assert_uint_eq(accepts_within(180), 0);
	ck_assert_uint_eq(accepts_within(20), 1); /* 400 */
	ck_assert_uint_eq(accepts_within(380), 0);
	ck_assert_uint_eq(accepts_within(20), 1); /* 800 */
	ck_assert_uint_eq(accepts_within(780), 0);
	ck_assert_uint_eq(accepts_within(8020), 11); /* and no longer than that */
	ck_assert_uint_eq(scene_count(TCP_ACCEPT_ERRORS), accepts);
	refusal = 0;
	ck_assert_uint_ge(accepts_within(800), 1);
	scene_exchange(fd, "x", "x");
}

TEST(an_episode_is_one_line)
{
	dial();
	refusal = EMFILE;
	ck_assert_uint_gt(accepts_within(10000), 10);
	ck_assert_str_eq(log_lines(),
			 "<4>cannot accept connections: Too many open files; trying again as "
			 "descriptors and memory come free (LimitNOFILE= sets how many descriptors "
			 "there are)\n");
}

TEST(a_connection_that_nobody_may_accept_is_left_alone_for_a_while)
{
	int fd = dial();

	refusal = EACCES;
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	ck_assert_uint_eq(accepts, ACCEPTS_PER_TURN);
	ck_assert_uint_eq(accepts_within(90), 0);
	ck_assert_uint_eq(accepts_within(20), ACCEPTS_PER_TURN);
	ck_assert_str_eq(log_lines(),
			 "<4>cannot accept connections: Permission denied; trying again from "
			 "time to time (a security policy of this host may forbid it)\n");
	refusal = 0;
	ck_assert_uint_ge(accepts_within(200), 1);
	scene_exchange(fd, "x", "x");
}

TEST(a_close_ends_the_pause)
{
	int first = dial(), second;

	scene_exchange(first, "x", "x");
	second = dial();
	refusal = EMFILE;
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	refusal = 0;
	close(first);
	TURN_UNTIL(scene_loop.paused_endpoints == 0); /* without the time having passed */
	scene_exchange(second, "x", "x");
}

TEST(a_pause_after_success_is_short_again)
{
	int fd = dial();

	refusal = EMFILE;
	accepts_within(1000);
	refusal = 0;
	accepts_within(800);
	scene_exchange(fd, "x", "x");
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	fd = dial();
	refusal = EMFILE;
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	ck_assert_uint_eq(accepts_within(110), 1);
}

TEST(a_paused_socket_may_be_stopped)
{
	dial();
	refusal = EMFILE;
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	scene_end_serving(endpoint);
	ck_assert_uint_eq(scene_loop.paused_endpoints, 0);
	ck_assert_uint_eq(accepts_within(1000), 0);
}

TEST(what_waits_is_accepted_before_the_socket_goes)
{
	int fds[CROWD];

	for (size_t i = 0; i < CROWD; i++)
		fds[i] = dial();
	refusal = ECONNABORTED;
	refusals = 1;
	scene_end_serving(endpoint);
	for (size_t i = 0; i < CROWD; i++)
		scene_exchange(fds[i], "x", "x");
}

TEST(the_queue_of_a_handed_socket_is_left_to_the_next)
{
	struct listen_socket *socket = listen_socket_hold(endpoint->socket);
	int next;

	dial();
	socket->handed = true;
	scene_end_serving(endpoint);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 0);
	next = accept4(socket->fd, NULL, NULL, 0);
	ck_assert_int_ge(next, 0);
	close(next);
	listen_socket_release(socket);
}
