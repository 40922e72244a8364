/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a ping over TCP reports beside its probes: the time to connect, what the kernel knows, and
 * whether something on the way answered for the server. And what an interval has of all that.
 */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/held_server.h"
#include "integration/json_lines.h"

#define TCP_SIZE 64
#define LATE_MS 200

TEST(the_kernel_is_asked_about_the_connection)
{
	const char *target = FAULTY(.size = TCP_SIZE);
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "--json", "-c", "3", "-i", "10ms", "-W", "20s", target));

	(void)json_check(echoc.output);
	ck_assert_double_eq(sum_of(&echoc, "tcp.connections"), 1);
	ck_assert_double_ge(sum_of(&echoc, "tcp.retransmits"), 0);
	ck_assert_double_gt(sum_of(&echoc, "tcp.rtt_us"), 0);
	ck_assert_double_gt(sum_of(&echoc, "tcp.mss"), 0);
	ck_assert_double_gt(sum_of(&echoc, "connect_us.min"), 0);
	ck_assert_double_eq(sum_of(&echoc, "connect_us.min"), sum_of(&echoc, "connect_us.max"));
	echoc = echoc_run(ECHOC_ARGS("ping", "-c", "3", "-i", "10ms", "-W", "20s", target));
	EXPECT(&echoc, 0, "\nconnect ", "\nTCP: ", " retransmits, RTT ", ", cwnd ", ", path MTU ");
}

/* Each connection echoes one probe, and is closed with the next. */
TEST_EACH(connections_that_ended_count, 2)
{
	const char *target =
		FAULTY(.fault = _i == 0 ? FAULT_CLOSE : FAULT_RESET, .at = 2, .size = TCP_SIZE);
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "--json", "-c", "3", "-i", "50ms", "-W", "20s", target));

	(void)json_check(echoc.output);
	ck_assert_double_ge(sum_of(&echoc, "reconnects"), 1);
	ck_assert_double_eq(sum_of(&echoc, "tcp.connections"), sum_of(&echoc, "reconnects") + 1);
	echoc = echoc_run(ECHOC_ARGS("ping", "-c", "3", "-i", "50ms", "-W", "20s", target));
	EXPECT(&echoc, 1, "connect min/avg/max = ", " connections\n");
}

TEST_EACH(there_is_nothing_to_say_without_a_connection, 2)
{
	struct echoc echoc =
		_i == 0 ? echoc_run(ECHOC_ARGS("ping", "-u", "--json", "-c", "1",
					       FAULTY(.datagram = true)))
			: echoc_run(ECHOC_ARGS("ping", "--json", "-c", "1", closed_port()));

	(void)json_check(echoc.output);
	ck_assert(json_is(echoc.output, "summary", "tcp", "null"));
	ck_assert(json_is(echoc.output, "summary", "connect_us.min", "null"));
	ck_assert(json_is(echoc.output, "summary", "answered_on_the_way", "null"));
}

/* The kernel connects at once, the server takes its time for each reply. */
TEST(a_fast_connect_and_slow_echoes_are_explained)
{
	const char *target = FAULTY(.fault = FAULT_DELAY, .delay_ms = LATE_MS, .size = TCP_SIZE);
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-c", "5", "-i", "10ms", "-W", "20s", target));
	double connect = 0, echo = 0;
	const char *hint = strstr(echoc.output, "\nconnect");

	/* The line before has "connect" in it, too. */
	hint = hint ? strstr(hint + 1, "\nconnect ") : NULL;
	ck_assert_msg(hint, "%s", echoc.output);
	ck_assert_int_eq(sscanf(hint,
				"\nconnect %lf ms, echo %lf ms: something on the way "
				"answers for the server\n",
				&connect, &echo),
			 2);
	ck_assert_double_ge(echo, LATE_MS);
	ck_assert_double_le(connect, echo);
	echoc = echoc_run(
		ECHOC_ARGS("ping", "--json", "-c", "5", "-i", "10ms", "-W", "20s", target));
	ck_assert(json_is(echoc.output, "summary", "answered_on_the_way", "true"));
	EXPECT_ERRORS(&echoc, 0, "something on the way answers");
}

TEST(four_replies_are_too_few_to_tell)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "--json", "-c", "4", "-i", "10ms", "-W", "20s",
			   FAULTY(.fault = FAULT_DELAY, .delay_ms = LATE_MS, .size = TCP_SIZE)));

	ck_assert(json_is(echoc.output, "summary", "answered_on_the_way", "null"));
}

static const char *next_interval(const char *text)
{
	return strstr(text, "{\"type\":\"interval\"");
}

/* Two losses, three replies in the order 4, 3, 5, a report, and four replies in order. */
TEST(an_interval_has_the_patterns_of_its_own)
{
	struct held_server server;
	static struct datagram third;
	double count = 0, runs = 0, extents = 0;
	const char *interval;
	struct echoc echoc;

	held_server_start(&server, SOCK_DGRAM);
	echoc = echoc_start(ECHOC_ARGS("ping", "-u", "-q", "--json", "-i", "100ms", "-W", "300ms",
				       "--report", "700ms", "-c", "15", server.target));
	for (int i = 1; i <= 5; i++) {
		held_server_take(&server);
		if (i == 3)
			third = server.message;
		if (i > 3)
			held_server_answer(&server);
		if (i == 4)
			send_datagram(server.fd, &third.from, third.data, third.size);
	}
	for (int i = 6; i <= 15; i++) {
		held_server_take(&server);
		held_server_answer(&server);
	}
	echoc_finish(&echoc, NULL, 0);
	(void)json_check(echoc.output);
	ck_assert_double_eq(sum_of(&echoc, "loss_runs"), 1);
	ck_assert_double_eq(sum_of(&echoc, "reorder_extent_max"), 1);
	for (interval = next_interval(echoc.output); interval;
	     interval = next_interval(interval + 1)) {
		count++;
		runs += json_get(interval, "interval", "loss_runs");
		extents += json_get(interval, "interval", "reorder_extent_max");
		ck_assert_double_ge(json_get(interval, "interval", "pdv_us.p99"), 0);
	}
	ck_assert_double_ge(count, 2);
	ck_assert_double_eq(runs, 1);
	ck_assert_double_eq(extents, 1);
}
