/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The figures of echoc bench say what happened on the path and at the server, and name what was our
 * own doing.
 */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"

#define FLOOD 20000 /* more small datagrams than the largest buffer that echoc asks for */

static double sum_of(const struct echoc *echoc, const char *name)
{
	return json_get(echoc->output, "summary", name);
}

static const char *target_of(int server)
{
	static char target[64];
	struct address own = {.length = sizeof(own.in4)};

	ck_assert_int_eq(getsockname(server, &own.sa, &own.length), 0);
	snprintf(target, sizeof(target), "127.0.0.1:%u", ntohs(own.in4.sin_port));
	return target;
}

/* It is stopped when this returns. */
static void stop(const struct echoc *echoc)
{
	int status;

	ck_assert_int_eq(kill(echoc->pid, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(echoc->pid, &status, WUNTRACED), echoc->pid);
	ck_assert(WIFSTOPPED(status));
}

/* Replies that come while echoc does not read are more than its socket has room for. */
TEST_EACH(what_our_own_socket_drops_is_named, 2)
{
	int server = datagram_socket("127.0.0.1");
	struct echoc echoc = echoc_start(ECHOC_ARGS("bench", _i == 0 ? "--json" : "-u", "-u", "-r",
						    "1000", "-d", "1h", target_of(server)));
	struct datagram probe;

	receive_datagram(server, &probe);
	stop(&echoc);
	for (unsigned i = 0; i < FLOOD; i++)
		send_datagram(server, &probe.from, probe.data, probe.size);
	kill(echoc.pid, SIGINT);
	kill(echoc.pid, SIGCONT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 1, "");
	if (_i == 0) {
		(void)json_check(echoc.output);
		ck_assert_double_gt(sum_of(&echoc, "own_drops"), sum_of(&echoc, "lost"));
	} else {
		EXPECT(&echoc, 1, " dropped by our own socket's buffer, not by the network");
	}
	ck_assert_ptr_null(strstr(echoc.output, "udp_rate"));
	ck_assert_ptr_null(strstr(echoc.errors, "udp_rate"));
	close(server);
}

/* The server stands still until all is due, far more than the buffers hold; then it answers. */
TEST(what_was_due_and_never_sent_is_no_success)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("bench", "--json", "-r", "100000", "-d", "200ms", "-s", "4096",
			   FAULTY(.size = 4096, .fault = FAULT_DELAY, .at = 1, .delay_ms = 300)));

	EXPECT(&echoc, 1, "");
	ck_assert_double_gt(sum_of(&echoc, "unsent"), 0);
}

/* Nine come back before the end; the others are behind a reply that takes 5 s. */
TEST(slow_replies_do_not_lower_the_rate)
{
	struct echoc echoc = echoc_start(
		ECHOC_ARGS("bench", "--json", "-r", "100", "-d", "1h",
			   FAULTY(.size = 64, .fault = FAULT_DRIP, .at = 10, .delay_ms = 80)));

	echoc_await(&echoc, "{\"type\":\"interval\"");
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
	ck_assert_double_lt(sum_of(&echoc, "duration_s") + 1, sum_of(&echoc, "elapsed_s"));
	ck_assert_double_lt(sum_of(&echoc, "messages_per_s") * sum_of(&echoc, "duration_s"), 9.5);
}

/* Slower than the whole run: there is no other rate than that of the replies awaited. */
TEST(a_run_without_a_reply_in_its_time_has_a_rate)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("bench", "-u", "--json", "-d", "50ms",
			   FAULTY(.datagram = true, .fault = FAULT_DELAY, .delay_ms = 300)));

	ck_assert_double_ge(sum_of(&echoc, "received"), 1);
	ck_assert_double_ge(sum_of(&echoc, "duration_s"), 0.3);
	ck_assert_double_gt(sum_of(&echoc, "messages_per_s"), 0);
}

/* It is lost after a second, and late in the next interval, in which nothing is lost. */
TEST(late_is_a_part_of_lost_in_every_interval)
{
	struct faulty faulty = {.datagram = true, .fault = FAULT_DELAY, .at = 1, .delay_ms = 1500};
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("bench", "-u", "--json", "-r", "50", "-d", "2s", faulty_start(&faulty)));

	EXPECT(&echoc, 1, "");
	ck_assert_double_ge(sum_of(&echoc, "late"), 1);
	ck_assert_double_le(sum_of(&echoc, "late"), sum_of(&echoc, "lost"));
	for (const char *at = echoc.output; (at = strstr(at, "{\"type\":\"interval\"")); at++)
		ck_assert_double_le(json_get(at, "interval", "late"),
				    json_get(at, "interval", "lost"));
}

/* Its reply would take 20 s, and each of its bytes comes before the silence is long enough. */
TEST(a_server_that_drips_is_not_waited_for_for_ever)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "--json", "-d", "50ms", "-s", "200",
				     FAULTY(.size = 200, .fault = FAULT_DRIP, .delay_ms = 100)));

	EXPECT(&echoc, 1, "1 still outstanding at the end of the wait");
	ck_assert_double_eq(sum_of(&echoc, "lost"), 1);
	ck_assert_double_eq(sum_of(&echoc, "truncated"), 0);
	ck_assert_double_ge(sum_of(&echoc, "elapsed_s"), 5);
}

TEST(quit_prints_how_it_goes_and_the_bench_goes_on)
{
	struct echoc echoc = echoc_start(
		ECHOC_ARGS("bench", "-u", "--json", "-d", "1h", FAULTY(.datagram = true)));

	echoc_await(&echoc, "{\"type\":\"interval\"");
	kill(echoc.pid, SIGQUIT);
	echoc_await_error(&echoc, " received, 0.0% lost, rtt min/avg/max = ");
	kill(echoc.pid, SIGINT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, "{\"type\":\"summary\"");
}
