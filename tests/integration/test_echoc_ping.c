/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * echoc ping against servers that do one thing wrong: each fault has its name in the lines, its
 * place in the books and its exit status.
 */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"

#define TCP_SIZE 64

/* What a ping of five probes, 20 ms apart, must say. */
struct expectation {
	const char *name;
	struct faulty faulty;
	int status;
	const char *line; /* one of those in between; NULL: none in particular */
	const char *sums;
	const char *timeout; /* where it is waited for; NULL: more than any reply takes */
};

#define TCP(...) .faulty = {.size = TCP_SIZE, __VA_ARGS__}
#define UDP(...) .faulty = {.datagram = true, __VA_ARGS__}
#define ALL_WELL                                                                                   \
	"5 sent, 5 received, 0 lost (0.0%), 0 duplicated, 0 late\n0 out of order, 0 corrupt, "     \
	"0 truncated"

static const struct expectation expectations[] = {
	{"tcp echo", TCP(.fault = FAULT_NONE), 0, ": seq=5 time=", ALL_WELL},
	{"udp echo", UDP(.fault = FAULT_NONE), 0, "64 bytes from 127.0.0.1:", ALL_WELL},
	{"tcp drop", TCP(.fault = FAULT_DROP, .at = 2), 1, "seq=2 lost (timeout)",
	 "5 sent, 4 received, 1 lost (20.0%), 0 duplicated, 0 late\n0 out of order, 0 corrupt",
	 "1s"},
	{"udp drop", UDP(.fault = FAULT_DROP, .at = 2), 1, "seq=2 lost (timeout)",
	 "5 sent, 4 received, 1 lost (20.0%), 0 duplicated, 0 late\n0 out of order, 0 corrupt",
	 "1s"},
	{"tcp duplicate", TCP(.fault = FAULT_DUPLICATE, .at = 2), 0, "duplicate",
	 "5 sent, 5 received, 0 lost (0.0%), 1 duplicated"},
	{"udp duplicate", UDP(.fault = FAULT_DUPLICATE, .at = 2), 0, "duplicate",
	 "5 sent, 5 received, 0 lost (0.0%), 1 duplicated"},
	/* It is waited for twice as long as the longest reply took. */
	{"udp duplicate of the last", UDP(.fault = FAULT_DUPLICATE, .at = 5, .delay_ms = 300), 0,
	 "duplicate", "5 sent, 5 received, 0 lost (0.0%), 1 duplicated"},
	{"tcp reorder", TCP(.fault = FAULT_REORDER, .at = 2), 0, NULL,
	 "5 received, 0 lost (0.0%), 0 duplicated, 0 late\n1 out of order"},
	{"udp reorder", UDP(.fault = FAULT_REORDER, .at = 2), 0, NULL,
	 "5 received, 0 lost (0.0%), 0 duplicated, 0 late\n1 out of order"},
	{"tcp truncate", TCP(.fault = FAULT_TRUNCATE, .at = 2, .offset = 20), 1, ": seq=2 time=",
	 "5 sent, 5 received, 0 lost (0.0%), 0 duplicated, 0 late\n0 out of order, 0 corrupt, 1 "
	 "truncated"},
	/* Half a reply and silence is no end: more of it might come. */
	{"tcp truncate the last", TCP(.fault = FAULT_TRUNCATE, .at = 5, .offset = 50), 1,
	 "seq=5 lost (timeout)", "5 sent, 4 received, 1 lost (20.0%)", "1s"},
	{"udp truncate", UDP(.fault = FAULT_TRUNCATE, .at = 2, .offset = 20), 1, "truncated at 20",
	 "5 sent, 5 received, 0 lost (0.0%), 0 duplicated, 0 late\n0 out of order, 0 corrupt, 1 "
	 "truncated"},
	{"udp truncate to nothing", UDP(.fault = FAULT_TRUNCATE, .at = 5), 1, "truncated at 0",
	 "0 corrupt, 1 truncated"},
	{"tcp flip", TCP(.fault = FAULT_FLIP, .at = 3, .offset = 40), 1,
	 " corrupt at offset 40: expected ", "0 out of order, 1 corrupt, 0 truncated"},
	{"udp flip", UDP(.fault = FAULT_FLIP, .at = 3, .offset = 40), 1,
	 " corrupt at offset 40: expected ", "0 out of order, 1 corrupt, 0 truncated"},
	{"udp flip in the sequence", UDP(.fault = FAULT_FLIP, .at = 3, .offset = 16), 1,
	 " corrupt at offset 16: expected 03, got 02",
	 "5 sent, 5 received, 0 lost (0.0%), 0 duplicated"},
	{"tcp flip in the magic", TCP(.fault = FAULT_FLIP, .at = 5), 1,
	 " corrupt at offset 0: expected ec, got ed", "1 corrupt, 0 truncated"},
	{"udp longer", UDP(.fault = FAULT_LONGER, .at = 4), 1,
	 "corrupt at offset 64: expected nothing", "1 corrupt, 0 truncated"},
	{"tcp close", TCP(.fault = FAULT_CLOSE, .at = 2, .offset = 33), 1, "truncated at 33",
	 " reconnect"},
	{"tcp close before the reply", TCP(.fault = FAULT_CLOSE, .at = 3), 1, NULL, " reconnect"},
	{"tcp reset", TCP(.fault = FAULT_RESET, .at = 3), 1, NULL, " reconnect"},
	{"tcp greeting", TCP(.greeting = "220 ready\r\n"), 1,
	 "corrupt at offset 0: expected ec, got 32 (11 bytes came before the reply: a greeting",
	 "5 sent, 5 received, 0 lost (0.0%), 0 duplicated, 0 late\n0 out of order, 1 corrupt"},
	{"tcp prefix", TCP(.fault = FAULT_PREFIX, .text = "> "), 1, "2 bytes came before the reply",
	 "5 corrupt, 0 truncated"},
};

TEST_CASE("faults");

TEST_EACH(each_fault_has_its_name_and_its_place_in_the_books, ARRAY_SIZE(expectations))
{
	const struct expectation *expectation = &expectations[_i];
	const char *target = faulty_start(&expectation->faulty);
	const char *transport = expectation->faulty.datagram ? "-u" : "-v";
	const char *timeout = expectation->timeout ? expectation->timeout : "20s";
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", transport, "-c", "5", "-i", "20ms", "-W", timeout, target));

	EXPECT(&echoc, expectation->status, expectation->sums,
	       expectation->line ? expectation->line : "");
}

/* Long enough that the reply comes while others still do, though the machine may stand still. */
TEST(a_reply_after_the_timeout_is_late_and_lost)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		"ping", "-u", "-c", "50", "-i", "50ms", "-W", "1s",
		FAULTY(.datagram = true, .fault = FAULT_DELAY, .at = 1, .delay_ms = 1500)));

	EXPECT(&echoc, 1, "seq=1 lost (timeout)",
	       "50 sent, 49 received, 1 lost (2.0%), 0 duplicated, 1 late\n0 out of order");
}

/* Each connection answers the first probe and no other. */
TEST(a_silent_connection_is_given_up_and_made_again)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-c", "3", "-i", "1500ms", "-W", "1s",
				     FAULTY(.fault = FAULT_DROP, .at = 2, .size = TCP_SIZE)));

	EXPECT(&echoc, 1, "seq=2 lost (timeout)", "3 sent, 2 received, 1 lost", "1 reconnect\n",
	       "no reply within the timeout: connection given up");
}

/* The interval is the time that there is for the end to arrive and for the next beginning. */
TEST(a_lost_connection_is_made_again_and_counted)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS(
		"ping", "-c", "3", "-i", "1500ms", "-W", "20s",
		FAULTY(.fault = FAULT_CLOSE, .at = 2, .offset = TCP_SIZE, .size = TCP_SIZE)));

	EXPECT(&echoc, 0, "3 sent, 3 received", " reconnect", "connection lost");
}

/* The kernel alone would ask again after one second, two, four, and give up after minutes. */
TEST(a_connection_that_is_not_made_in_time_is_begun_again)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-c", "40", "-i", "50ms", "-W", "100ms",
				     FAULTY(.fault = FAULT_CLOSE, .at = 2, .offset = TCP_SIZE,
					    .size = TCP_SIZE, .connections = 1, .deaf = true)));
	const char *first = strstr(echoc.errors, "cannot connect: Connection timed out");

	EXPECT(&echoc, 1, "40 sent, ", "lost (not connected)");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_nonnull(strstr(first + 1, "cannot connect: Connection timed out"));
}

TEST(a_server_that_went_away_loses_what_follows)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-c", "4", "-i", "20ms",
				     FAULTY(.fault = FAULT_CLOSE, .at = 2, .offset = TCP_SIZE,
					    .size = TCP_SIZE, .connections = 1)));

	EXPECT(&echoc, 1, "4 sent, ", " lost");
}

TEST(a_refused_udp_port_is_said_and_lost)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-u", "-c", "2", "-i", "10ms", closed_port()));

	EXPECT(&echoc, 1, "2 sent, 0 received, 2 lost (100.0%)", "refused: nothing listens there");
}

TEST(a_refused_tcp_port_cannot_start)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "-c", "1", closed_port()));

	EXPECT(&echoc, 2, "Connection refused: nothing listens there");
	ck_assert_str_eq(echoc.output, "");
}

TEST(an_unknown_host_cannot_start)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "-c", "1", "no.such.host.invalid"));

	ck_assert_int_eq(echoc.status, 2);
	ck_assert_ptr_nonnull(strstr(echoc.errors, "no.such.host.invalid"));
}

TEST(an_address_of_the_other_family_cannot_start)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "-6", "-c", "1", "127.0.0.1"));

	EXPECT(&echoc, 2, "\"127.0.0.1\" has no IPv6 address\n");
	echoc = echoc_run(ECHOC_ARGS("ping", "-I", "127.0.0.1", "-c", "1", "::1"));
	EXPECT(&echoc, 2, "\"::1\" has no IPv4 address, which the source address requires");
}

TEST_CASE("life");

TEST(interrupt_ends_with_the_summary)
{
	struct echoc echoc = echoc_start(
		ECHOC_ARGS("ping", "-u", "-i", "20ms", "-W", "20s", FAULTY(.datagram = true)));

	echoc_await(&echoc, "seq=3 ");
	kill(echoc.pid, SIGQUIT);
	echoc_await(&echoc, "seq=5 ");
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, " 0 lost (0.0%)", "jitter (RFC 3550) = ");
	ck_assert_ptr_nonnull(strstr(echoc.errors, " received, 0.0% lost, rtt min/avg/max = "));
}

TEST(quiet_prints_only_the_summary)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "-u", "-q", "-c", "3", "-i", "10ms", "-W",
						  "20s", FAULTY(.datagram = true)));

	EXPECT(&echoc, 0, "3 sent, 3 received");
	ck_assert_ptr_null(strstr(echoc.output, "seq="));
}

/* When they come is for the machine to say; the first one is about all the time so far. */
TEST(a_report_comes_each_interval)
{
	static const char mark[] = ", the last ", middle[] = " of ";
	char *rest;
	double span;
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-u", "-q", "-c", "30", "-i", "20ms", "--report",
				     "100ms", "-W", "20s", FAULTY(.datagram = true)));
	const char *first = strstr(echoc.output, mark);

	EXPECT(&echoc, 0, "30 sent, 30 received");
	ck_assert_ptr_nonnull(first);
	span = strtod(first + strlen(mark), &rest);
	ck_assert_double_ge(span, 0.1);
	ck_assert_double_eq(strtod(rest + strlen(middle), NULL), span);
	ck_assert_ptr_nonnull(strstr(rest, mark));
}

TEST(the_kernels_clock_is_used_and_said)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "-u", "-v", "-c", "3", "-i", "10ms", FAULTY(.datagram = true)));

	EXPECT(&echoc, 0, "clock=kernel", "receive times: the kernel's for 3 of 3", "ttl=64");
}

TEST(the_largest_probes_come_back)
{
	struct faulty tcp = {0};
	struct faulty udp = {.datagram = true};
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "-c", "1", "-W", "9s", "-s", "16m", faulty_start(&tcp)));

	EXPECT(&echoc, 0, "16777216 bytes from ", "1 sent, 1 received");
	echoc = echoc_run(ECHOC_ARGS("ping", "-u", "-c", "1", "-s", "65507", faulty_start(&udp)));
	EXPECT(&echoc, 0, "65507 bytes from ", "1 sent, 1 received");
}
