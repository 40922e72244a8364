/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a ping reports about the time for which a path was down. */

#include "config.h"

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/held_server.h"
#include "integration/json_lines.h"
#include "integration/net.h"

/* Of COUNT messages the server does not answer FIRST to LAST. */
static void serve_with_gap(const struct held_server *started, int count, int first, int last)
{
	struct held_server server = *started;

	for (int i = 1; i <= count; i++) {
		held_server_take(&server);
		if (i < first || i > last)
			held_server_answer(&server);
	}
}

static struct echoc run_with_gap(const char *option, const char *value)
{
	struct held_server server;
	struct echoc echoc;

	held_server_start(&server, SOCK_DGRAM);
	echoc = echoc_start(ECHOC_ARGS("ping", "-u", "-c", "7", "-i", "100ms", "-W", "2s", option,
				       value, server.target));
	serve_with_gap(&server, 7, 3, 5);
	echoc_finish(&echoc, NULL, 0);
	return echoc;
}

static bool prints(const struct echoc *echoc, const char *text)
{
	return strstr(echoc->output, text) != NULL;
}

TEST(an_outage_is_a_line_and_part_of_the_summary)
{
	struct echoc echoc = run_with_gap("-v", "-v");

	EXPECT(&echoc, 1, "7 sent, 4 received, 3 lost", "\noutage since ",
	       ": 2 probes without a reply\n", "\noutage from ", " to ", "), 3 probes\n",
	       "\n1 loss run (RFC 3357), mean 3.0, longest 3\n",
	       "\ndelay variation (RFC 5481) p50/p90/p99/p99.9 = ", "\n1 outage, ", " s in all (",
	       " % up), longest ", " s from ");
}

TEST(a_loss_of_fewer_is_none)
{
	struct echoc echoc = run_with_gap("--outage", "4");

	EXPECT(&echoc, 1, "7 sent, 4 received, 3 lost");
	ck_assert(!prints(&echoc, "outage"));
}

TEST(only_those_asked_for_are_printed_when_quiet)
{
	struct echoc echoc = run_with_gap("-q", "-q");

	ck_assert(!prints(&echoc, "outage from"));
	ck_assert(prints(&echoc, "1 outage, "));
	echoc = run_with_gap("-q", "--outage=3");
	ck_assert(prints(&echoc, "outage from"));
	ck_assert(!prints(&echoc, "seq="));
}

static double of_outage(const struct echoc *echoc, const char *name)
{
	return json_get(echoc->output, "outage", name);
}

/* Rounded to milliseconds, each for itself. */
#define ROUNDED 0.0011

TEST(an_outage_is_an_object_with_bounds)
{
	struct echoc echoc = run_with_gap("--json", "-v");
	double duration, span;

	EXPECT(&echoc, 1, NULL);
	(void)json_check(echoc.output);
	ck_assert_uint_eq(json_count(echoc.output, "outage"), 1);
	duration = of_outage(&echoc, "duration_s");
	ck_assert_double_ge(duration, 0.2);
	ck_assert_double_le(of_outage(&echoc, "duration_min_s"), duration);
	ck_assert_double_ge(of_outage(&echoc, "duration_max_s"), duration);
	ck_assert_double_eq(of_outage(&echoc, "lost"), 3);
	ck_assert_double_eq(sum_of(&echoc, "outages"), 1);
	ck_assert_double_eq(sum_of(&echoc, "loss_runs"), 1);
	ck_assert_double_eq(sum_of(&echoc, "loss_run_mean"), 3);
	ck_assert_double_eq(sum_of(&echoc, "loss_run_longest"), 3);
	ck_assert_double_eq_tol(sum_of(&echoc, "outage_s"), duration, ROUNDED);
	ck_assert_double_eq_tol(sum_of(&echoc, "outage_longest_s"), duration, ROUNDED);
	/* The time from the first to the last probe. */
	span = duration / (1 - sum_of(&echoc, "up_percent") / 100);
	ck_assert_double_ge(span, 0.5);
	ck_assert_double_le(span, sum_of(&echoc, "elapsed_s"));
}

/* It began before the first probe, and nobody knows when it ends. */
TEST(an_outage_of_the_whole_run_has_no_end)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("ping", "-u", "--json", "-c", "4", "-i", "20ms", closed_port()));
	double duration = of_outage(&echoc, "duration_s");

	(void)json_check(echoc.output);
	ck_assert(json_is(echoc.output, "outage", "end", "null"));
	ck_assert(json_is(echoc.output, "outage", "duration_max_s", "null"));
	ck_assert_double_ge(duration, 0.04);
	ck_assert_double_eq(of_outage(&echoc, "duration_min_s"), duration);
	ck_assert_double_eq(sum_of(&echoc, "up_percent"), 0);
	echoc = echoc_run(ECHOC_ARGS("ping", "-u", "-c", "4", "-i", "20ms", closed_port()));
	EXPECT(&echoc, 1, " to the end of the run: ", " or more), 4 probes\n", "(0.00 % up)");
}

/* Stopped by an interrupt: nobody waited for it long enough to call it lost. */
TEST(what_an_interrupt_leaves_open_is_no_outage)
{
	struct held_server server;
	struct echoc echoc;

	held_server_start(&server, SOCK_DGRAM);
	echoc = echoc_start(ECHOC_ARGS("ping", "-u", "--json", "-c", "3", "-i", "20ms", "-W", "1h",
				       server.target));
	held_server_take(&server);
	held_server_answer(&server);
	held_server_take(&server);
	held_server_take(&server);
	WAIT_UNTIL(kill(echoc.pid, SIGINT) == 0 && echoc_has_ended(&echoc));
	echoc_finish(&echoc, NULL, 0);
	(void)json_check(echoc.output);
	ck_assert_double_eq(sum_of(&echoc, "lost"), 2);
	ck_assert_double_eq(sum_of(&echoc, "outages"), 0);
	ck_assert_uint_eq(json_count(echoc.output, "outage"), 0);
}

/* Each connection answers the first probe and no other. */
TEST(an_outage_over_tcp_ends_with_the_next_connection)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("ping", "--outage", "1", "-c", "3", "-i", "1500ms", "-W", "1s",
				     FAULTY(.fault = FAULT_DROP, .at = 2, .size = 64)));

	EXPECT(&echoc, 1, "outage from ", ", 1 probe\n", "1 outage, ", "1 reconnect\n");
}

/* Bound, but nobody listens there yet. */
static int begin_to_serve(char *target, size_t size)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	snprintf(target, size, "127.0.0.1:%u", port_bound_to(fd));
	return fd;
}

TEST(a_target_that_is_down_at_first_is_tried_until_it_comes_up)
{
	char target[32], message[64];
	int listener = begin_to_serve(target, sizeof(target));
	struct echoc echoc =
		echoc_start(ECHOC_ARGS("ping", "-i", "100ms", "-W", "20s", "--json", target));
	int fd;

	echoc_await(&echoc, "\"seq\":3,");
	ck_assert_int_eq(listen(listener, 8), 0);
	fd = accept(listener, NULL, NULL);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(recv(fd, message, sizeof(message), MSG_WAITALL), sizeof(message));
	ck_assert_int_eq(send(fd, message, sizeof(message), 0), sizeof(message));
	echoc_await(&echoc, "\"type\":\"outage\"");
	WAIT_UNTIL(kill(echoc.pid, SIGINT) == 0 && echoc_has_ended(&echoc));
	echoc_finish(&echoc, NULL, 0);
	EXPECT_ERRORS(&echoc, 1, "Connection refused: nothing listens there", ": connected\n");
	(void)json_check(echoc.output);
	ck_assert(json_is(echoc.output, "start", "source", "null"));
	ck_assert(!json_is(echoc.output, "outage", "end", "null"));
	ck_assert_double_ge(of_outage(&echoc, "lost"), 3);
	ck_assert_double_eq(sum_of(&echoc, "reconnects"), 0);
	close(fd);
	close(listener);
}
