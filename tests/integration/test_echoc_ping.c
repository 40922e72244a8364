/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a ping does when connections end, how it is ended itself, and what it prints. */

#include "config.h"

#include <ctype.h>

#include <sys/resource.h>

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"

#define TCP_SIZE 64

/* Each connection answers the first probe and no other. */
TEST(a_silent_connection_is_given_up_and_re_established)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-c", "3", "-i", "1500ms", "-W", "1s",
				     FAULTY(.fault = FAULT_DROP, .at = 2, .size = TCP_SIZE)));

	EXPECT(&echoc, 1, "seq=2 lost (timeout)", "3 sent, 2 received, 1 lost", "1 reconnect\n");
	EXPECT_ERRORS(&echoc, 1, "no reply within the timeout: connection given up");
}

/* False if the machine stalled for so long that a probe was sent before the end arrived. */
static bool loses_nothing_between_probes(const char *target)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-c", "3", "-i", "1500ms", "-W", "20s", target));

	if (strstr(echoc.output, "3 received") == NULL || strstr(echoc.output, "reconnect") == NULL)
		return false;
	EXPECT(&echoc, 0, "3 sent, 3 received", "1 reconnect\n");
	EXPECT_ERRORS(&echoc, 0, "connection lost");
	return true;
}

TEST(a_lost_connection_is_re_established_and_counted)
{
	const char *target =
		FAULTY(.fault = FAULT_CLOSE, .at = 2, .offset = TCP_SIZE, .size = TCP_SIZE);

	WAIT_UNTIL(loses_nothing_between_probes(target));
}

/* The kernel alone would retry after one second, two, four, and give up after minutes. */
TEST(a_connection_that_is_not_made_in_time_is_begun_again)
{
	struct echoc echoc =
		echoc_start(ECHOC_ARGS("ping", "-i", "50ms", "-W", "100ms",
				       FAULTY(.fault = FAULT_CLOSE, .at = 2, .offset = TCP_SIZE,
					      .size = TCP_SIZE, .connections = 1, .deaf = true)));

	echoc_await_errors(&echoc, "cannot connect: Connection timed out", 2);
	echoc_await(&echoc, "lost (not connected)");
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 1, " sent, 2 received");
}

TEST(a_server_that_went_away_loses_what_follows)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-c", "4", "-i", "20ms",
				     FAULTY(.fault = FAULT_CLOSE, .at = 2, .offset = TCP_SIZE,
					    .size = TCP_SIZE, .connections = 1)));

	EXPECT(&echoc, 1, "4 sent, 2 received, 2 lost (50.0%)");
}

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

/* When they come depends on the machine; the first one covers all the time so far. */
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

TEST(the_kernels_clock_is_used_and_named)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "-u", "-v", "-c", "3", "-i", "10ms", FAULTY(.datagram = true)));

	EXPECT(&echoc, 0, "clock=kernel", "receive times: the kernel's for 3 of 3", "ttl=64",
	       "path MTU, as far as the kernel knows: ");
}

TEST_EACH(probes_leave_from_the_source_address, 2)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "-I", "127.0.0.2", _i == 1 ? "-vu" : "-v", "-c", "1",
				     "-W", "20s", FAULTY(.datagram = _i == 1)));

	EXPECT(&echoc, 0, "from 127.0.0.2:", "1 sent, 1 received");
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

#define ROUNDS 100

/* How often it gave up its CPU to wait. */
static long sleeps(const char *const *arguments)
{
	struct rusage before, after;
	struct echoc echoc;

	ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &before), 0);
	echoc = echoc_run(arguments);
	ck_assert_int_eq(getrusage(RUSAGE_CHILDREN, &after), 0);
	EXPECT(&echoc, 0, NULL);
	return after.ru_nvcsw - before.ru_nvcsw;
}

/* Both exchange ROUNDS messages, one at a time. */
TEST_EACH(busy_never_sleeps_between_two_messages, 4)
{
	bool udp = _i % 2 == 1, bench = _i >= 2;
	const char *kind = udp ? "-u" : "-4";
	const char *server = FAULTY(.datagram = udp, .size = TCP_SIZE);
	const char *ping[] = {"echoc", "ping", kind,  "-q",	"-c",	"100", "-i",
			      "5ms",   "-W",   "20s", "--busy", server, NULL};
	const char *benches[] = {"echoc", "bench", kind,     "-r",   "200",
				 "-d",	  "500ms", "--busy", server, NULL};
	const char **arguments = bench ? benches : ping, **option = arguments;
	long busy = sleeps(arguments);

	while (strcmp(*option, "--busy") != 0)
		option++;
	*option = "-v";
	ck_assert_int_lt(busy, ROUNDS / 2);
	ck_assert_int_gt(sleeps(arguments), busy);
}

TEST(a_deadline_ends_a_ping)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("ping", "-u", "-w", "0.3", "-i", "0.02", "-W",
						  "20s", FAULTY(.datagram = true)));

	EXPECT(&echoc, 0, ": seq=1 ", " 0 lost (0.0%)");
}

/* What is due then is still awaited. */
TEST(a_deadline_makes_no_loss)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "-u", "-w", "200ms", "-i", "1h", "-W", "20s",
			   FAULTY(.datagram = true, .fault = FAULT_DELAY, .delay_ms = 500)));

	EXPECT(&echoc, 0, "1 sent, 1 received");
}

/* "2026-11-30 14:03:04.120 " */
static bool begins_with_a_clock(const char *line)
{
	static const char shape[] = "0000-00-00 00:00:00.000 ";

	for (size_t i = 0; shape[i] != '\0'; i++) {
		if (shape[i] == '0' ? !isdigit((unsigned char)line[i]) : line[i] != shape[i])
			return false;
	}
	return true;
}

/* Up to the summary. */
TEST(each_line_can_have_the_wall_clock)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "-u", "-D", "-c", "3", "-i", "20ms", "-W", "1s", "--outage", "1",
			   FAULTY(.datagram = true, .fault = FAULT_DROP, .at = 2)));
	const char *line = echoc.output;
	unsigned count = 0;

	EXPECT(&echoc, 1, " outage from ", " no reply from ", " ECHO ");
	for (; *line != '\n'; line = strchr(line, '\n') + 1, count++)
		ck_assert_msg(begins_with_a_clock(line), "%s", line);
	ck_assert_uint_eq(count, 5);
}

static const struct help {
	const char *mode, *has, *lacks;
} helps[] = {
	{NULL, "echoc MODE -h", "-p DEPTH in"},
	{"ping", "--outage N", "-p DEPTH"},
	{"bench", "-p DEPTH", "--outage"},
	{"send", "-w TIMEOUT", "--outage"},
};

TEST_EACH(a_help_is_one_screen, ARRAY_SIZE(helps))
{
	const struct help *help = &helps[_i];
	struct echoc echoc =
		help->mode ? echoc_run(ECHOC_ARGS(help->mode, "-h")) : echoc_run(ECHOC_ARGS("-h"));
	const char *line = echoc.output;
	unsigned count = 0;

	EXPECT(&echoc, 0, help->has);
	ck_assert_ptr_null(strstr(echoc.output, help->lacks));
	for (; *line != '\0'; line += strcspn(line, "\n") + 1, count++)
		ck_assert_msg(strcspn(line, "\n") <= 80, "too wide: %s", line);
	ck_assert_uint_le(count, 24);
}
