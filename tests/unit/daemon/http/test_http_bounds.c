/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The web server for metrics: no client can take more than its share of it. */

#include "config.h"

#include <sys/resource.h>
#include <time.h>

#include "support/test.h"
#include "unit/http_client.h"

TEST_CASE("http_bounds", set_up, tear_down);

TEST(a_slow_reader_gets_a_large_answer_whole)
{
	int fd = client(2048);

	say(fd, "GET /large HTTP/1.0\r\n\r\n");
	turn_for(50);
	hear(fd);
	ck_assert_uint_eq(strlen(body()), HTTP_BODY_MAX - 1);
}

/* As many as there are places for, each having said TEXT. */
static void take_all_places(int *fds, const char *text)
{
	for (size_t i = 0; i < HTTP_CLIENTS_MAX; i++) {
		fds[i] = client(0);
		say(fds[i], text);
	}
}

TEST(half_a_request_keeps_nobody_out)
{
	int fds[HTTP_CLIENTS_MAX];

	take_all_places(fds, "GET /a HT");
	ask("GET /a HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "body of /a");
	/* The oldest had to go, and only that one. */
	ck_assert(ended(fds[0]));
	for (size_t i = 1; i < HTTP_CLIENTS_MAX; i++)
		ck_assert(!ended(fds[i]));
}

TEST(an_answered_client_that_stays_keeps_nobody_out)
{
	int fds[HTTP_CLIENTS_MAX];

	take_all_places(fds, "GET /a HTTP/1.0\r\n\r\n");
	ask("GET /b HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "body of /b");
	for (size_t i = 0; i < HTTP_CLIENTS_MAX; i++) {
		hear(fds[i]);
		ck_assert_str_eq(body(), "body of /a");
	}
}

TEST(a_client_that_does_not_read_keeps_nobody_out_for_long)
{
	int fds[HTTP_CLIENTS_MAX];

	for (size_t i = 0; i < HTTP_CLIENTS_MAX; i++) {
		fds[i] = client(2048);
		say(fds[i], "GET /large HTTP/1.0\r\n\r\n");
	}
	ask("GET /a HTTP/1.0\r\n\r\n");
	ck_assert_str_eq(body(), "body of /a");
}

TEST(a_client_waiting_for_an_answer_keeps_its_place_and_the_next_waits_too)
{
	int fds[HTTP_CLIENTS_MAX], late;

	hold = true;
	take_all_places(fds, "GET /a HTTP/1.0\r\n\r\n");
	late = client(0);
	say(late, "GET /b HTTP/1.0\r\n\r\n");
	turn_for(300);
	ck_assert_uint_eq(requests, HTTP_CLIENTS_MAX);
	hold = false;
	http_answer(http);
	for (size_t i = 0; i < HTTP_CLIENTS_MAX; i++) {
		hear(fds[i]);
		ck_assert_str_eq(body(), "body of /a");
	}
	hear(late);
	ck_assert_str_eq(body(), "body of /b");
}

/* More than the places, and more than are accepted in a turn, all at once and none reset. */
TEST(a_crowd_is_served_one_after_the_other)
{
	int fds[100];

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		dial(fds[i]);
		ck_assert_int_eq(send(fds[i], "GET /a HTTP/1.0\r\n\r\n", 19, MSG_NOSIGNAL), 19);
	}
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		hear(fds[i]);
		ck_assert_str_eq(body(), "body of /a");
	}
}

TEST(a_thousand_requests_leave_every_place_free)
{
	for (int i = 0; i < 1000; i++)
		ck_assert(begins(ask("GET /a HTTP/1.0\r\n\r\n"), "HTTP/1.0 200 OK\r\n"));
}

TEST(no_client_stays_longer_than_5_seconds)
{
	int silent = client(0), dripping = client(0), deaf = client(2048), lingering = client(0);
	int64_t start = clock_ms();
	bool all = false;

	say(deaf, "GET /large HTTP/1.0\r\n\r\n");
	say(lingering, "GET /a HTTP/1.0\r\n\r\n");
	say(dripping, "GET /a HTTP/1.0\r\n");
	while (!all && clock_ms() - start < PATIENCE_MS) {
		turn_for(100);
		(void)send(dripping, "x", 1, MSG_NOSIGNAL);
		/* What was sent to the deaf one is still there; its end shows when writing. */
		(void)send(deaf, "x", 1, MSG_NOSIGNAL);
		all = ended(silent) && ended(dripping) && send(deaf, "x", 1, MSG_NOSIGNAL) < 0 &&
		      errno != EAGAIN;
		ck_assert(!ended(silent) || clock_ms() - start > 4000);
	}
	ck_assert_int_lt(clock_ms() - start, 10000); /* 5, and a machine that stalled */
}

TEST(a_place_that_ended_while_waiting_is_free_of_its_request)
{
	int waiting, next;

	hold = true;
	waiting = client(0);
	say(waiting, "GET /old HTTP/1.0\r\n\r\n");
	turn_for(5500);
	ck_assert(ended(waiting));
	close(waiting);
	next = client(0);
	turn_for(10);
	http_answer(http);
	ck_assert_str_eq(asked, "");
	say(next, "GET /new HTTP/1.0\r\n\r\n");
	http_answer(http);
	hear(next);
	ck_assert_str_eq(body(), "body of /new");
}

TEST(a_client_that_never_stops_sending_is_cut_off)
{
	char more[8192];
	int64_t start = clock_ms();
	int fd = client(0);

	memset(more, 'x', sizeof(more));
	say(fd, "POST /a HTTP/1.0\r\n\r\n");
	while (send(fd, more, sizeof(more), MSG_NOSIGNAL) > 0 || errno == EAGAIN)
		turn();
	ck_assert_int_lt(clock_ms() - start, 4500); /* and not by the deadline */
}

TEST(without_descriptors_it_waits_instead_of_spinning)
{
	struct rlimit limit, none;
	struct timeval while_waiting = {.tv_usec = 400 * 1000};
	clock_t before;
	int fd = client(0);

	close(fd);
	turn_for(10);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = (rlim_t)fd + 1;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	dial(fd);
	before = clock();
	event_base_loopexit(base, &while_waiting);
	event_base_dispatch(base);
	ck_assert_int_lt(clock() - before, CLOCKS_PER_SEC / 10);
	ck_assert(!ended(fd));
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	say(fd, "GET /a HTTP/1.0\r\n\r\n");
	hear(fd);
	ck_assert_str_eq(body(), "body of /a");
}

TEST(the_end_of_the_server_ends_its_connections)
{
	int fd = client(0);

	http_free(http);
	http = NULL;
	ck_assert(ended(fd));
}
