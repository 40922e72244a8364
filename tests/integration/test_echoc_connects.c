/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A bench that connects for each message. */

#include "config.h"

#include <math.h>

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"
#include "integration/process.h"

#define ECHO "[listener echo]\naddress = 127.0.0.1:0\n"

static const char *const loads[][4] = {
	{"-c", "1", "-j", "1"},
	{"-c", "4", "-j", "2"},
	{"-s", "200000", "-c", "2"}, /* more than a socket takes at once */
	{"-r", "50", "-c", "3"},
};

TEST_EACH(each_message_has_a_connection_of_its_own, ARRAY_SIZE(loads))
{
	struct echod *echod = echod_start(ECHO);
	char target[32];
	struct echoc echoc;
	double sent;

	snprintf(target, sizeof(target), "127.0.0.1:%u", port_of(echod));
	echoc = echoc_run(ECHOC_ARGS("bench", "--json", "--connect", "-d", "300ms", "-W", "20s",
				     loads[_i][0], loads[_i][1], loads[_i][2], loads[_i][3],
				     target));
	EXPECT(&echoc, 0, "\"connect\":true");
	(void)json_check(echoc.output);
	sent = sum_of(&echoc, "sent");
	ck_assert_double_ge(sent, 1);
	ck_assert_double_eq(sum_of(&echoc, "received"), sent);
	ck_assert_double_eq(sum_of(&echoc, "reconnects"), 0);
	/* A system call for one in 64, and for those that may have sent again. */
	ck_assert_double_ge(sum_of(&echoc, "tcp.connections"), ceil(sent / 64));
	ck_assert_double_le(sum_of(&echoc, "tcp.connections"), sent);
	ck_assert_double_gt(sum_of(&echoc, "connect_us.min"), 0);
	ck_assert_double_le(sum_of(&echoc, "connect_us.p50"), sum_of(&echoc, "connect_us.max"));
	echod_wait_counter(echod, "tcp_accepted", (uint64_t)sent + 1); /* and the first of all */
	echod_stop(echod);
}

TEST(the_table_has_the_time_to_connect)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("bench", "--connect", "-d", "100ms", "-W", "20s", FAULTY(.offset = 0)));

	EXPECT(&echoc, 0, "a connection for each message\n", "\n  round trip\n", "\n  connect\n");
}

/* Each fails at once, and is lost: the next one waits for a moment. */
TEST(a_server_that_closes_without_a_reply_loses_all)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "--json", "--connect", "-d", "500ms",
				     FAULTY(.fault = FAULT_CLOSE, .at = 1, .size = 64)));

	EXPECT(&echoc, 1, NULL);
	(void)json_check(echoc.output);
	ck_assert_double_ge(sum_of(&echoc, "sent"), 1);
	ck_assert_double_le(sum_of(&echoc, "sent"), 20);
	ck_assert_double_eq(sum_of(&echoc, "received"), 0);
	ck_assert_double_eq(sum_of(&echoc, "lost"), sum_of(&echoc, "sent"));
}

TEST(a_reply_that_does_not_come_in_time_is_lost)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "--json", "--connect", "-d", "500ms", "-W", "100ms",
				     FAULTY(.fault = FAULT_DROP, .size = 64)));

	EXPECT(&echoc, 1, NULL);
	ck_assert_double_ge(sum_of(&echoc, "lost"), 2);
	ck_assert_double_eq(sum_of(&echoc, "received"), 0);
}

/* It accepts the connection before the run, and no other. */
TEST(a_connect_that_is_refused_is_lost_and_named)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("bench", "--json", "--connect", "-d", "300ms",
			   FAULTY(.fault = FAULT_CLOSE, .at = 1, .size = 64, .connections = 1)));

	EXPECT_ERRORS(&echoc, 1, "connections failed, the last one: Connection refused");
	(void)json_check(echoc.output);
	ck_assert_double_ge(sum_of(&echoc, "lost"), 1);
	ck_assert(json_is(echoc.output, "summary", "connect_us.min", "null"));
}

TEST(one_source_port_is_not_enough)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", "--connect", "-d", "100ms", "-I",
						  "127.0.0.1:59999", FAULTY(.offset = 0)));

	EXPECT_ERRORS(&echoc, 2, "source port");
}
