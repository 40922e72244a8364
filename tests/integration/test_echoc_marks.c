/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* marks against each kind of far side; tests/lab has paths that change and drop them. */

#include "config.h"

#include "base/big_endian.h"
#include "integration/echoc_run.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/relay.h"

#define STAMP "[listener a]\naddress = 127.0.0.1:0\nmode = stamp\n"
#define ECHO "[listener a]\naddress = 127.0.0.1:0\nprotocol = udp\n"
#define MARKS "marks", "-i", "1ms", "-W", "2s"

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

static uint16_t start(const char *config)
{
	echod = echod_start(config);
	return echod_port(echod, "udp 127.0.0.1");
}

static const char *target(uint16_t port)
{
	static char text[64];

	(void)snprintf(text, sizeof(text), "127.0.0.1:%u", port);
	return text;
}

TEST_CASE("marks", set_up, tear_down);

TEST(a_reflector_shows_each_way)
{
	const char *to = target(start(STAMP));
	struct echoc echoc = echoc_run(ECHOC_ARGS(MARKS, "--json", "--dscp", "ef,le", to));
	const char *text = echoc.output;

	ck_assert_uint_eq(json_check(text), 1 + 5 + 1);
	ck_assert_int_eq(echoc.status, 0);
	ck_assert_double_eq(json_get(text, "mark", "dscp_seen"), 46);
	ck_assert_double_eq(json_get(text, "mark", "dscp_back"), 46);
	ck_assert_double_eq(json_get(text, "mark", "received"), 3);
	ck_assert(json_is(text, "summary", "far_side", "\"stamp\""));
	ck_assert(json_is(text, "summary", "l4s_there", "true"));
	ck_assert_double_eq(sum_of(&echoc, "sent"), 15);
	echoc = echoc_run(ECHOC_ARGS(MARKS, "-c", "1", to));
	EXPECT(&echoc, 0, "MARKS 127.0.0.1:", "46 ef      ok          ok           0\n",
	       "DSCP there: 23 of 23 unchanged\n", "DSCP back: 23 of 23 unchanged\n",
	       "L4S there: ready", "26 sent, 26 received, 0 lost\n");
}

TEST(a_reflector_may_refuse_the_dscp_of_replies)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS(MARKS, "-c", "1", target(start(STAMP "stamp_dscp = received\n"))));

	EXPECT(&echoc, 0, "DSCP back: 23 of 23 unchanged\n");
}

TEST(an_echo_server_shows_the_round_trip_if_it_returns_dscps)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS(MARKS, "-c", "1", target(start(ECHO "reflect_dscp = yes\n"))));

	EXPECT(&echoc, 0, "DSCP round trip: 23 of 23 unchanged\n", "ECN: not known");
}

TEST(and_else_nothing)
{
	const char *to = target(start(ECHO));
	struct echoc echoc = echoc_run(ECHOC_ARGS(MARKS, "-c", "1", to));

	EXPECT(&echoc, 1, "does not return what it receives");
	echoc = echoc_run(ECHOC_ARGS(MARKS, "-c", "1", "--json", to));
	ck_assert(json_is(echoc.output, "summary", "far_side", "\"echo\""));
	ck_assert(json_is(echoc.output, "summary", "dscp_returned", "false"));
	ck_assert(json_is(echoc.output, "summary", "l4s_there", "null"));
	ck_assert(json_is(echoc.output, "mark", "dscp_seen", "null"));
}

/* The relay's packets have no marks at all, on either way. Number 7 is cs1 again. */
TEST(what_was_bleached_and_lost_is_named)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS(MARKS, "-c", "1", "--dscp", "0,ef,af41,cs1",
				     RELAY(.port = start(STAMP), .lost_there = 1 << 3 | 1 << 7)));

	EXPECT(&echoc, 1, "46 ef      0           0            0\n",
	       " 8 cs1     -           -            1\n", "DSCP there: 1 of 4 unchanged\n",
	       "DSCP there: bleached to 0: ef af41\n", "DSCP there: lost: cs1\n",
	       "DSCP back: bleached to 0: ef af41\n", "ECN there: ECT(1) arrives as not-ECT\n",
	       "ECN there: CE arrives as not-ECT\n", "L4S there: broken",
	       "7 sent, 6 received, 1 lost\n");
}

static void leave_out_options(uint8_t *reply, size_t size)
{
	if (size > 44)
		reply[44] |= 0x80;
}

TEST(a_reflector_may_know_no_options)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		MARKS, "-c", "1", RELAY(.port = start(STAMP), .alter = leave_out_options)));

	EXPECT(&echoc, 1, "without the class of service option");
}

TEST(a_key_authenticates)
{
	static char path[] = "/tmp/echoc-test-XXXXXX";
	char config[256];
	struct echoc echoc;
	int fd = mkstemp(path);

	ck_assert_int_eq(write(fd, "404142434445464748494a4b4c4d4e4f", 32), 32);
	close(fd);
	(void)snprintf(config, sizeof(config), STAMP "stamp_key = %s\n", path);
	echoc = echoc_run(ECHOC_ARGS(MARKS, "-c", "1", "--key-file", path, target(start(config))));
	EXPECT(&echoc, 0, "DSCP there: 23 of 23 unchanged\n");
	unlink(path);
	echoc = echoc_run(ECHOC_ARGS(MARKS, "--key-file", path, "127.0.0.1"));
	EXPECT_ERRORS(&echoc, 2, path);
}

TEST(ipv6_has_traffic_classes)
{
	struct echoc echoc;
	char to[32];

	need_ipv6();
	echod = echod_start("[listener a]\naddress = [::1]:0\nmode = stamp\n");
	(void)snprintf(to, sizeof(to), "[::1]:%u", echod_port(echod, "udp [::1]"));
	echoc = echoc_run(ECHOC_ARGS(MARKS, "-c", "1", to));
	EXPECT(&echoc, 0, "DSCP there: 23 of 23 unchanged\n", "DSCP back: 23 of 23 unchanged\n");
}

/* Numbers 23 and up are codepoints. */
TEST(a_codepoint_may_be_lost)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS(MARKS, "-c", "1", RELAY(.port = start(STAMP), .lost_there = 1 << 23)));

	EXPECT(&echoc, 1, "ECN there: ECT(1) is lost\n");
}

TEST(silence_is_no_result)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(MARKS, "-c", "1", "127.0.0.1:1"));

	EXPECT(&echoc, 1, "no reply to any of 26 probes: refused, nothing listens there\n");
}

TEST(a_bad_list_is_refused)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("marks", "--dscp", "64", "127.0.0.1"));

	EXPECT_ERRORS(&echoc, 2, "--dscp 64: must be all, or numbers from 0 to 63");
}
