/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* ping --stamp and --plus: what happened on which way, as far as the far side lets us know. */

#include "config.h"

#include "base/big_endian.h"
#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/relay.h"

#define STAMP "[listener a]\naddress = 127.0.0.1:0\nmode = stamp\n"
#define SESSIONS "stamp_sessions = 64\n"
#define PLUS "[listener a]\naddress = 127.0.0.1:0\nmode = echoplus\n" SESSIONS
#define KEY "404142434445464748494a4b4c4d4e4f"
#define PING "ping", "--json", "-c", "12", "-i", "20ms", "-W", "2s"

static struct echod *echod;
static char key_path[] = "/tmp/echoc-test-XXXXXX";

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

static void expect_losses(const struct echoc *echoc, double there, double back, double unknown)
{
	(void)json_check(echoc->output);
	ck_assert(json_is(echoc->output, "summary", "far_side_counts", "true"));
	ck_assert_double_eq(sum_of(echoc, "lost_there"), there);
	ck_assert_double_eq(sum_of(echoc, "lost_back"), back);
	ck_assert_double_eq(sum_of(echoc, "lost_unknown"), unknown);
	ck_assert_double_eq(sum_of(echoc, "lost"), there + back + unknown);
	ck_assert_int_eq(echoc->status, there + back + unknown > 0);
}

TEST_CASE("each_way", set_up, tear_down);

TEST(nothing_lost_is_nothing_lost_on_either_way)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(PING, "--stamp", target(start(STAMP SESSIONS))));
	const char *text = echoc.output;

	expect_losses(&echoc, 0, 0, 0);
	ck_assert(json_is(text, "start", "probes", "\"stamp\""));
	ck_assert_uint_eq(json_count(text, "reply"), 12);
	ck_assert_double_eq(json_get(text, "reply", "hops_there"), 0);
	ck_assert(json_is(text, "reply", "hops_back", "null"));
	ck_assert(json_is(text, "reply", "dscp_seen", "0"));
	ck_assert(json_is(text, "summary", "ecn_seen", "0"));
	ck_assert(json_is(text, "summary", "seen_address", "null") == false);
	ck_assert_double_gt(json_get(text, "reply", "turnaround_us"), 0);
	ck_assert_double_ge(sum_of(&echoc, "pdv_there_us.p99"), 0);
}

/* Numbers from 0; the losses on the way there are no datagrams of the way back. */
TEST(losses_are_of_their_way)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS(PING, "--stamp",
			   RELAY(.port = start(STAMP SESSIONS), .lost_there = 1 << 2 | 1 << 5 | 1,
				 .lost_back = 1 << 3 | 1 << 7)));

	expect_losses(&echoc, 3, 2, 0);
}

TEST(what_is_lost_last_is_of_neither)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		PING, "--stamp",
		RELAY(.port = start(STAMP SESSIONS), .lost_there = 1 << 1, .lost_back = 1 << 10)));

	expect_losses(&echoc, 1, 0, 1);
}

TEST(duplicates_do_not_hide_losses)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		PING, "--stamp",
		RELAY(.port = start(STAMP SESSIONS), .doubled_there = 1 << 2,
		      .doubled_back = 1 << 5, .lost_there = 1 << 6, .lost_back = 1 << 8)));

	expect_losses(&echoc, 1, 1, 0);
	ck_assert_double_eq(sum_of(&echoc, "duplicates"), 2);
}

TEST(a_reflector_without_options_counts_by_its_numbers)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		PING, "--stamp", "-s", "44",
		RELAY(.port = start(STAMP SESSIONS), .lost_there = 1 << 2, .lost_back = 1 << 3)));

	expect_losses(&echoc, 1, 1, 0);
	ck_assert(json_is(echoc.output, "summary", "seen_address", "null"));
	ck_assert(json_is(echoc.output, "summary", "dscp_seen", "null"));
}

TEST(a_stateless_reflector_is_recognised)
{
	uint16_t port = start(STAMP);
	struct echoc echoc =
		echoc_run(ECHOC_ARGS(PING, "--stamp", RELAY(.port = port, .lost_there = 1 << 2)));

	ck_assert(json_is(echoc.output, "summary", "far_side_counts", "false"));
	ck_assert(json_is(echoc.output, "summary", "lost_there", "null"));
	ck_assert_double_eq(sum_of(&echoc, "lost_unknown"), 1);
	echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "-c", "1", target(port)));
	EXPECT(&echoc, 0, "the reflector is stateless");
}

TEST(echoplus_counts_from_its_first_answer)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS(PING, "--plus",
				     RELAY(.port = start(PLUS), .lost_there = 1 << 2 | 1 << 5 | 1,
					   .lost_back = 1 << 3)));

	expect_losses(&echoc, 2, 1, 1);
	ck_assert(json_is(echoc.output, "start", "probes", "\"echoplus\""));
	ck_assert_double_gt(json_get(echoc.output, "reply", "turnaround_us"), 0);
	ck_assert(json_is(echoc.output, "reply", "hops_there", "null"));
}

TEST(losses_are_in_words_too)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		"ping", "--stamp", "-c", "8", "-i", "20ms", "-W", "2s",
		RELAY(.port = start(STAMP SESSIONS), .lost_there = 1 << 2 | 1 << 3 | 1 << 4)));

	EXPECT(&echoc, 1, "STAMP 127.0.0.1:", "8 sent, 5 received, 3 lost",
	       "lost on the way there: 3, on the way back: 0\n",
	       "seen by the far side as 127.0.0.1:", "arrived there with DSCP 0, ECN not-ECT\n");
}

TEST(hops_are_counted_from_255_and_from_what_replies_leave_with)
{
	uint16_t port = start(STAMP SESSIONS);
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "--stamp", "-c", "1", "--ttl-guarded", target(port)));

	EXPECT(&echoc, 0, "hops there 0, back 0\n");
	echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "-c", "1", "--ttl", "9", "--ttl-fresh",
				     target(port)));
	EXPECT(&echoc, 0, "hops there 0, back 56\n"); /* the reply began with 8 */
	echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "-c", "1", "-Q", "ef+ect1", target(port)));
	EXPECT(&echoc, 0, "hops there 0\n", "arrived there with DSCP 46, ECN ECT(1)\n");
}

/* Both clocks are synchronised within 2^24 * 2^-32 s, or so the estimates say. */
static void synchronise(uint8_t *reply, size_t size)
{
	ck_assert_uint_ge(size, 44);
	put16(reply + 12, 0x8000 | 24 << 8 | 1);
	put16(reply + 36, 0x8000 | 24 << 8 | 1);
}

static void synchronise_ours(uint8_t *reply, size_t size)
{
	synchronise(reply, size);
	put16(reply + 12, 1);
}

TEST(one_way_times_need_two_synchronised_clocks)
{
	uint16_t port = start(STAMP SESSIONS);
	struct echoc echoc =
		echoc_run(ECHOC_ARGS(PING, "--stamp", RELAY(.port = port, .alter = synchronise)));

	ck_assert_double_ge(json_get(echoc.output, "reply", "there_us"), 0);
	ck_assert_double_ge(json_get(echoc.output, "reply", "back_us"), 0);
	ck_assert_double_eq_tol(sum_of(&echoc, "one_way_error_us"), 2e6 / 256, 0.001);
	ck_assert_double_le(sum_of(&echoc, "there_us.min"), sum_of(&echoc, "there_us.max"));
	echoc = echoc_run(
		ECHOC_ARGS(PING, "--stamp", RELAY(.port = port, .alter = synchronise_ours)));
	ck_assert(json_is(echoc.output, "reply", "there_us", "null"));
	ck_assert(json_is(echoc.output, "summary", "back_us.avg", "null"));
}

static void claim_a_long_turnaround(uint8_t *reply, size_t size UNUSED)
{
	put64(reply + 4, get64(reply + 4) + (UINT64_C(3600) << 32));
}

static void claim_to_answer_before_the_question(uint8_t *reply, size_t size UNUSED)
{
	put64(reply + 4, get64(reply + 16) - 1000);
}

static void claim_numbers(uint8_t *reply, size_t size UNUSED)
{
	put32(reply, get32(reply) * 1000 + 17);
}

TEST(what_cannot_be_is_not_believed)
{
	uint16_t port = start(STAMP SESSIONS);
	struct echoc echoc = echoc_run(
		ECHOC_ARGS(PING, "--stamp", RELAY(.port = port, .alter = claim_a_long_turnaround)));

	ck_assert(json_is(echoc.output, "reply", "turnaround_us", "null"));
	ck_assert_double_gt(sum_of(&echoc, "rtt_us.min"), 0);
	echoc = echoc_run(
		ECHOC_ARGS(PING, "--stamp",
			   RELAY(.port = port, .alter = claim_to_answer_before_the_question)));
	ck_assert(json_is(echoc.output, "reply", "turnaround_us", "null"));
	echoc = echoc_run(ECHOC_ARGS(PING, "--stamp", RELAY(.port = port, .alter = claim_numbers)));
	ck_assert(json_is(echoc.output, "summary", "lost_back", "null"));
	ck_assert_int_eq(echoc.status, 0);
}

TEST(what_is_known_is_in_words)
{
	uint16_t port = start(STAMP SESSIONS);
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "-v", "-c", "3", "-i", "20ms",
						  RELAY(.port = port, .alter = synchronise)));

	EXPECT(&echoc, 0, " there=", " back=", " turnaround=", "one way there min/avg/max = ",
	       " ms (+- 7.812)\n", "one way back min/avg/max = ");
	echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "-q", "-c", "3", "-i", "20ms", "-W", "2s",
				     RELAY(.port = port, .lost_back = 1 << 2)));
	EXPECT(&echoc, 1, "on the way back: 0, after the last reply: 1\n");
	echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "-q", "-c", "3", "-i", "20ms",
				     RELAY(.port = port, .alter = claim_numbers)));
	EXPECT(&echoc, 0, "the far side also counts others\n");
}

TEST(other_lengths_than_that_of_the_request_are_noticed)
{
	uint16_t port = start(STAMP);
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "--stamp", "-c", "1", RELAY(.port = port, .longer = 1)));

	EXPECT(&echoc, 1, "corrupt at offset 96: expected nothing");
	echoc = echoc_run(
		ECHOC_ARGS("ping", "--stamp", "-c", "1", RELAY(.port = port, .longer = -1)));
	EXPECT(&echoc, 1, "truncated at 95");
	/* But the base packet alone is a whole reply. */
	echoc = echoc_run(
		ECHOC_ARGS("ping", "--stamp", "-c", "1", RELAY(.port = port, .longer = 44 - 96)));
	EXPECT(&echoc, 0, "44 bytes from");
	echoc = echoc_run(ECHOC_ARGS("ping", "--plus", "-c", "1",
				     FAULTY(.datagram = true, .fault = FAULT_LONGER)));
	EXPECT(&echoc, 1, "corrupt at offset 64: expected nothing");
	echoc = echoc_run(
		ECHOC_ARGS("ping", "--plus", "-c", "1",
			   FAULTY(.datagram = true, .fault = FAULT_TRUNCATE, .offset = 40)));
	EXPECT(&echoc, 1, "truncated at 40");
	echoc = echoc_run(ECHOC_ARGS("ping", "--plus", "-c", "1",
				     FAULTY(.datagram = true, .fault = FAULT_FLIP, .offset = 50)));
	EXPECT(&echoc, 1, "corrupt at offset 50");
	echoc = echoc_run(ECHOC_ARGS("ping", "--plus", "-c", "1", "-W", "200ms",
				     FAULTY(.datagram = true, .fault = FAULT_FLIP, .offset = 21)));
	EXPECT(&echoc, 1, "1 unexpected"); /* somebody else's iteration */
}

TEST(hops_back_of_echoplus_need_a_fresh_ttl)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "--plus", "-c", "1", "--ttl-fresh",
						  target(start(PLUS "udp_ttl_guard = no\n"))));

	EXPECT(&echoc, 0, "hops back 0\n");
}

TEST(a_closed_port_is_refused)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "-c", "1", closed_port()));

	EXPECT(&echoc, 1, "seq=1 lost (refused");
	echoc = echoc_run(ECHOC_ARGS("ping", "--plus", "-c", "1", closed_port()));
	EXPECT(&echoc, 1, "seq=1 lost (refused");
}

static void alter_padding(uint8_t *reply, size_t size)
{
	reply[size - 1] ^= 1;
}

TEST(padding_comes_back_unchanged)
{
	uint16_t port = start(STAMP SESSIONS);
	struct echoc echoc = echoc_run(ECHOC_ARGS(PING, "--stamp", "-s", "1000", target(port)));

	expect_losses(&echoc, 0, 0, 0);
	ck_assert_double_eq(json_get(echoc.output, "reply", "bytes"), 1000);
	echoc = echoc_run(ECHOC_ARGS(PING, "--stamp", "-s", "1000",
				     RELAY(.port = port, .alter = alter_padding)));
	ck_assert_double_eq(sum_of(&echoc, "corrupt"), 12);
	ck_assert_double_eq(json_get(echoc.output, "corrupt", "offset"), 999);
}

static void write_key(const char *digits)
{
	int fd = mkstemp(key_path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, digits, strlen(digits)), (ssize_t)strlen(digits));
	ck_assert_int_eq(close(fd), 0);
}

TEST(with_a_key_only_authentic_replies_count)
{
	char config[256];
	uint16_t port;
	struct echoc echoc;

	write_key(KEY);
	(void)snprintf(config, sizeof(config), STAMP SESSIONS "stamp_key = %s\n", key_path);
	port = start(config);
	echoc = echoc_run(
		ECHOC_ARGS(PING, "--stamp", "--key-file", key_path, "--ssid", "7", target(port)));
	expect_losses(&echoc, 0, 0, 0);
	ck_assert(json_is(echoc.output, "summary", "dscp_seen", "0"));
	echoc = echoc_run(ECHOC_ARGS(PING, "--stamp", "--key-file", key_path,
				     RELAY(.port = port, .alter = alter_padding)));
	ck_assert_double_eq(sum_of(&echoc, "received"), 12); /* but for the options */
	ck_assert(json_is(echoc.output, "summary", "dscp_seen", "null"));
	echoc = echoc_run(ECHOC_ARGS(PING, "--stamp", "--key-file", key_path,
				     RELAY(.port = port, .alter = claim_numbers)));
	ck_assert_double_eq(sum_of(&echoc, "unexpected"), 12);
	ck_assert_double_eq(sum_of(&echoc, "lost"), 12);
	(void)unlink(key_path);
	echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "--key-file", key_path, target(port)));
	EXPECT_ERRORS(&echoc, 2, key_path);
}

TEST(an_echo_server_is_no_reflector)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "-c", "2", "-i", "20ms", "-W",
						  "200ms", FAULTY(.datagram = true)));

	EXPECT_ERRORS(&echoc, 1, "an echo server, not a STAMP reflector");
	echoc = echoc_run(
		ECHOC_ARGS("ping", "--plus", "-c", "2", "-i", "20ms", FAULTY(.datagram = true)));
	EXPECT(&echoc, 0, "2 received", "nothing known about each way");
}

TEST(sizes_below_a_packet_are_refused)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "--stamp", "-s", "43", "127.0.0.1"));

	EXPECT_ERRORS(&echoc, 2, "-s 43: a STAMP packet has at least 44 bytes");
}

TEST(port_862_is_the_default)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "--stamp", "--json", "-c", "1", "-W", "10ms", "127.0.0.1"));

	ck_assert(json_is(echoc.output, "start", "address", "\"127.0.0.1:862\""));
}
