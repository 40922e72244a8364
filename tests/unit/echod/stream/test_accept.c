/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Who is let in, and what happens when descriptors run out. This program defines accept4, and so
 * decides when the kernel has none left.
 */

#include "config.h"

#include "echod/stream/accept.h"

#include <event2/event.h>
#include <limits.h>
#include <sys/time.h>

#include "echod/guard/client_table.h"
#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/log_lines.h"
#include "unit/loop_scene.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"
#define ACCEPTS_PER_TURN 64

static int refusal;	  /* what accept4 says; 0: what the kernel says */
static unsigned refusals; /* so often only; 0: always */
static unsigned accepts;

int accept4(int fd, __SOCKADDR_ARG address, socklen_t *restrict length, int flags)
{
	accepts++;
	if (refusal == 0)
		return (int)syscall(SYS_accept4, fd, address.__sockaddr__, length, flags);
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

static void tear_down(void)
{
	log_lines_end();
	scene_close();
}

static int dial(const struct endpoint *endpoint)
{
	const struct address *to = &endpoint->socket->address;
	int fd = new_socket(to, SOCK_STREAM);

	ck_assert_int_eq(connect(fd, &to->sa, to->length), 0);
	return fd;
}

static void expect_served(int fd)
{
	ck_assert_int_eq(send(fd, "x", 1, 0), 1);
	scene_expect(fd, "x");
}

/* Closed without a word. */
static void expect_refused(int fd, enum counter why)
{
	scene_expect_end(fd);
	ck_assert_uint_eq(scene_count(why), 1);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 0);
	close(fd);
}

TEST_CASE("accept", set_up, tear_down);

TEST(whoever_comes_is_served)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	int one = dial(endpoint), other = dial(endpoint);

	expect_served(one);
	expect_served(other);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 2);
	ck_assert_uint_eq(scene_loop.streams->connections, 2);
	ck_assert_uint_eq(client_table_count(scene_loop.shared->clients), 2);
	close(one);
	close(other);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	ck_assert_uint_eq(client_table_count(scene_loop.shared->clients), 0);
}

/* When the first timer that is set will be due. */
static int first_timer(const struct event_base *base UNUSED, const struct event *event, void *first)
{
	struct timeval due;

	if (event_pending(event, EV_TIMEOUT, &due) && timercmp(&due, (struct timeval *)first, <))
		*(struct timeval *)first = due;
	return 0;
}

TEST(a_new_client_needs_no_look_before_its_first_deadline)
{
	struct endpoint *intake = scene_serve(scene_service(PLAIN "idle_timeout = 30s\n", "x"),
					      SOCKET_TCP, "127.0.0.1");
	struct timeval now, first = {.tv_sec = LONG_MAX};
	int fd = dial(intake);

	TURN_UNTIL(scene_loop.streams->connections == 1);
	event_base_gettimeofday_cached(scene_loop.base, &now);
	event_base_foreach_event(scene_loop.base, first_timer, &first);
	ck_assert_int_ge(first.tv_sec - now.tv_sec, 15);
	close(fd);
}

TEST(the_denied_are_closed_and_counted)
{
	struct service *service = scene_service(PLAIN "deny = 127.0.0.0/8\n", "x");

	expect_refused(dial(scene_serve(service, SOCKET_TCP, "127.0.0.1")), TCP_REJECTED_DENIED);
}

TEST(beyond_max_clients_they_are_closed_and_counted)
{
	struct service *service = scene_service(PLAIN, "x");

	client_table_set_limit(scene_loop.shared->clients, 0);
	expect_refused(dial(scene_serve(service, SOCKET_TCP, "127.0.0.1")),
		       TCP_REJECTED_MAX_CLIENTS);
}

TEST(beyond_the_limit_of_an_address_they_are_closed_and_counted)
{
	struct service *service = scene_service(PLAIN "max_clients_per_ip = 2\n", "x");
	struct endpoint *endpoint = scene_serve(service, SOCKET_TCP, "127.0.0.1");
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = dial(endpoint);
	TURN_UNTIL(scene_count(TCP_REJECTED_PER_IP) == 1);
	expect_served(fds[0]);
	expect_served(fds[1]);
	scene_expect_end(fds[2]);
	close(fds[0]);
	TURN_UNTIL(scene_loop.streams->connections == 1);
	close(fds[2]);
	fds[2] = dial(endpoint); /* room again */
	expect_served(fds[2]);
	close(fds[1]);
	close(fds[2]);
}

TEST(unix_clients_have_no_address_to_judge)
{
	struct service *service =
		scene_service(PLAIN "deny = 0.0.0.0/0 ::/0\nmax_clients_per_ip = 1\n", "x");
	char path[256];
	struct endpoint *endpoint;
	int one, other;

	snprintf(path, sizeof(path), "%s/stream", test_directory());
	endpoint = scene_serve(service, SOCKET_UNIX, path);
	one = dial(endpoint);
	other = dial(endpoint);
	expect_served(one);
	expect_served(other);
	close(one);
	close(other);
}

TEST(a_crowd_does_not_keep_the_loop_from_its_clients)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	int fds[ACCEPTS_PER_TURN + 6];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = dial(endpoint);
	stream_accept_ready(endpoint->socket->fd, 0, endpoint);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), ACCEPTS_PER_TURN);
	TURN_UNTIL(scene_count(TCP_ACCEPTED) == ARRAY_SIZE(fds));
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

TEST(errors_of_one_connection_do_not_hold_up_the_next)
{
	static const int errors[] = {ECONNABORTED, EPROTO, ENETDOWN, EPERM, EINTR};
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		int fd = dial(endpoint);

		refusal = errors[i];
		refusals = 1;
		expect_served(fd);
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
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	int fd = dial(endpoint);

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
	expect_served(fd);
	close(fd);
}

TEST(an_episode_is_one_line)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	int fd = dial(endpoint);

	refusal = EMFILE;
	ck_assert_uint_gt(accepts_within(10000), 10);
	ck_assert_str_eq(log_lines(),
			 "<4>cannot accept connections: Too many open files; trying again as "
			 "descriptors and memory come free (LimitNOFILE= sets how many descriptors "
			 "there are)\n");
	close(fd);
}

TEST(a_connection_that_nobody_may_accept_is_left_alone_for_a_while)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	int fd = dial(endpoint);

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
	expect_served(fd);
	close(fd);
}

TEST(a_close_ends_the_pause)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	int first = dial(endpoint), second;

	expect_served(first);
	second = dial(endpoint);
	refusal = EMFILE;
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	refusal = 0;
	close(first);
	TURN_UNTIL(scene_loop.paused_endpoints == 0); /* the clock stands still */
	expect_served(second);
	close(second);
}

TEST(a_pause_after_success_is_short_again)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	int fd = dial(endpoint);

	refusal = EMFILE;
	accepts_within(1000);
	refusal = 0;
	accepts_within(800);
	expect_served(fd);
	close(fd);
	TURN_UNTIL(scene_loop.streams->connections == 0);
	fd = dial(endpoint);
	refusal = EMFILE;
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	ck_assert_uint_eq(accepts_within(110), 1);
	close(fd);
}

TEST(a_paused_socket_may_be_stopped)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	int fd = dial(endpoint);

	refusal = EMFILE;
	TURN_UNTIL(scene_loop.paused_endpoints == 1);
	scene_end_serving(endpoint);
	ck_assert_uint_eq(scene_loop.paused_endpoints, 0);
	ck_assert_uint_eq(accepts_within(1000), 0);
	close(fd);
}

TEST(what_waits_is_accepted_before_the_socket_goes)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	int fds[ACCEPTS_PER_TURN + 6];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		fds[i] = dial(endpoint);
	refusal = ECONNABORTED;
	refusals = 1;
	scene_end_serving(endpoint);
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		expect_served(fds[i]);
		close(fds[i]);
	}
}

TEST(the_queue_of_a_handed_socket_is_left_to_the_next)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_TCP, "127.0.0.1");
	struct listen_socket *socket = listen_socket_hold(endpoint->socket);
	int fd = dial(endpoint), next;

	socket->handed = true;
	scene_end_serving(endpoint);
	ck_assert_uint_eq(scene_count(TCP_ACCEPTED), 0);
	next = accept4(socket->fd, NULL, NULL, 0);
	ck_assert_int_ge(next, 0);
	close(next);
	listen_socket_release(socket);
	close(fd);
}
