/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* idle on a path that forgets nothing; tests/lab has some that do. */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"
#include "integration/process.h"

#define STAMP "[listener a]\naddress = 127.0.0.1:0\nmode = stamp\n"
#define ECHO "[listener a]\naddress = 127.0.0.1:0\n"
#define IDLE "idle", "--fresh", "--up-to", "1s"

static struct echod *echod;

static void set_up(void)
{
	echod = NULL;
}

static void tear_down(void)
{
	if (echod)
		echod_stop(echod);
}

static const char *start(const char *config)
{
	static char text[64];

	echod = echod_start(config);
	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", echod_port(echod, "udp 127.0.0.1"));
	return text;
}

TEST_CASE("idle", set_up, tear_down);

TEST(a_reflector_reports_addresses)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(IDLE, "--json", start(STAMP)));
	const char *text = echoc.output;

	ck_assert_uint_eq(json_check(text), 3);
	ck_assert_int_eq(echoc.status, 0);
	ck_assert(json_is(text, "start", "fresh", "true"));
	ck_assert_double_eq(json_get(text, "start", "up_to_ms"), 1000);
	ck_assert(json_is(text, "wait", "result", "\"kept\""));
	ck_assert_double_eq(json_get(text, "wait", "wait_s"), 1);
	ck_assert(!json_is(text, "wait", "seen_before", "null"));
	ck_assert(json_is(text, "summary", "address_seen", "true"));
	ck_assert(json_is(text, "summary", "forgotten_s", "null"));
	ck_assert_double_eq(sum_of(&echoc, "kept_s"), 1);
}

TEST(an_echo_server_does_not)
{
	const char *to = start(ECHO);
	struct echoc echoc = echoc_run(ECHOC_ARGS(IDLE, to));

	EXPECT(&echoc, 0, "IDLE 127.0.0.1:", "silent     1.0 s: kept\n",
	       "No flow was forgotten within 1.0 s.\n", "use a STAMP reflector");
	echoc = echoc_run(ECHOC_ARGS(IDLE, "-t", to));
	EXPECT(&echoc, 0, "over tcp", "silent     1.0 s: kept\n");
}

/* The second message is answered by a reset. */
TEST(a_reset_is_a_firewall_that_forgot)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		IDLE, "-t", FAULTY(.fault = FAULT_RESET, .at = 2, .offset = 0, .size = 64)));

	EXPECT(&echoc, 0, "forgotten: reset\n", "Keep alive: send something at least every");
}

TEST(a_close_is_the_far_side_s)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		IDLE, "-t", FAULTY(.fault = FAULT_CLOSE, .at = 1, .offset = 64, .size = 64)));

	EXPECT(&echoc, 0, "closed after ", "closes connections");
}

TEST(a_key_has_to_be_readable)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(IDLE, "--key-file", "/nonexistent", "127.0.0.1"));

	EXPECT_ERRORS(&echoc, 2, "/nonexistent");
}

TEST(nothing_answered_is_an_error)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(IDLE, "127.0.0.1:1"));

	EXPECT(&echoc, 1, "no reply to any flow\n");
	echoc = echoc_run(ECHOC_ARGS(IDLE, "-t", "127.0.0.1:1"));
	EXPECT_ERRORS(&echoc, 2, "nothing listens there");
}
