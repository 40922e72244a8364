/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The web server for metrics short of memory or descriptors, and interrupted: it goes on. */

#include "config.h"

#include "unit/http_client.h"

#include "support/test.h"
#include "unit/faults.h"

#define REQUEST "GET /a HTTP/1.0\r\n\r\n"

/* Turns until CALL was made, and failed. */
static void turn_until_failed(const char *call, int error)
{
	int64_t give_up = clock_ms() + PATIENCE_MS;

	do {
		ck_assert_msg(clock_ms() < give_up, "%s is never called", call);
		fault_next(call, error);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	} while (!fault_over());
}

static void send_request(int fd)
{
	ck_assert_int_eq(send(fd, REQUEST, strlen(REQUEST), MSG_NOSIGNAL), strlen(REQUEST));
}

static void expect_answer(void)
{
	ck_assert(begins(ask(REQUEST), "HTTP/1.0 200 OK\r\n"));
	ck_assert_str_eq(body(), "body of /a");
}

TEST_CASE("http_faults", set_up, tear_down);

TEST(without_memory_there_is_none)
{
	for (unsigned skip = 0; skip < 2; skip++) {
		struct http *refused;

		fault_after(skip, MEMORY, ENOMEM);
		refused = http_new(base, listener, false, &site, &requests);
		ck_assert(fault_over());
		ck_assert_ptr_null(refused);
		ck_assert_int_eq(fault_blocks(), 0);
	}
}

TEST(a_client_there_is_no_memory_for_is_closed_and_the_next_is_served)
{
	for (unsigned skip = 0; skip < 2; skip++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		dial(fd);
		fault_after(skip, MEMORY, ENOMEM);
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
		ck_assert(fault_over());
		ck_assert(ended(fd));
		close(fd);
		expect_answer();
	}
}

TEST_EACH(an_interruption_costs_nothing, 4)
{
	static const struct {
		const char *call;
		int error;
	} faults[] = {{"recv", EAGAIN}, {"recv", EINTR}, {"send", EAGAIN}, {"send", EINTR}};
	int fd = client(0);

	send_request(fd);
	turn_until_failed(faults[_i].call, faults[_i].error);
	hear(fd);
	ck_assert_str_eq(body(), "body of /a");
}

TEST_EACH(after_the_answer_an_interruption_costs_nothing_either, 2)
{
	static const int errors[] = {EAGAIN, EINTR};
	int fd = client(0);

	say(fd, REQUEST);
	turn();
	(void)send(fd, "more", 4, MSG_NOSIGNAL);
	turn_until_failed("recv", errors[_i]);
	hear(fd);
	ck_assert_str_eq(body(), "body of /a");
	expect_answer();
}

TEST_EACH(a_broken_connection_frees_its_place, 3)
{
	static const char *const calls[] = {"recv", "send", "shutdown"};

	for (size_t i = 0; i < HTTP_CLIENTS_MAX + 1; i++) {
		int fd = client(0);

		send_request(fd);
		turn_until_failed(calls[_i], ECONNRESET);
		close(fd);
	}
	expect_answer();
}

TEST(a_client_gone_before_accept_is_passed_over)
{
	int fd;

	fault_next("accept4", ECONNABORTED);
	fd = client(0);
	ck_assert(fault_over());
	close(fd);
	expect_answer();
}

TEST(without_descriptors_it_waits_and_comes_back)
{
	int fd;

	fault_next("accept4", EMFILE);
	fd = client(0);
	ck_assert(fault_over());
	/* Nothing is tried before the pause is over; that it cannot end yet does not end it. */
	turn_until_failed(MEMORY, ENOMEM);
	send_request(fd);
	hear(fd);
	ck_assert_str_eq(body(), "body of /a");
}
