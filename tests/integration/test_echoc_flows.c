/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* echoc flows: many source ports, and which of them lose. */

#include "config.h"

#include <pthread.h>
#include <sys/resource.h>

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"

#define LOSSY_EACH 4 /* the ports that this divides get no reply */

static void *serve(void *context)
{
	int fd = *(int *)context;

	for (;;) {
		struct sockaddr_in from;
		socklen_t length = sizeof(from);
		char data[2048];
		ssize_t size =
			recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &length);

		if (size >= 0 && ntohs(from.sin_port) % LOSSY_EACH != 0)
			(void)sendto(fd, data, (size_t)size, 0, (struct sockaddr *)&from, length);
	}
	return NULL;
}

/* An echo server that some source ports do not reach: its address. */
static const char *lossy_server(void)
{
	static char target[32];
	static int fd;
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	pthread_t thread;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	snprintf(target, sizeof(target), "127.0.0.1:%u", port_bound_to(fd));
	ck_assert_int_eq(pthread_create(&thread, NULL, serve, &fd), 0);
	return target;
}

/* Each flow object is about the next port; how many are lossy, which must be the right ones. */
static unsigned count_lossy_ports(const struct echoc *echoc)
{
	unsigned port = 0, lossy = 0;

	for (const char *at = echoc->output; (at = strstr(at, "\"port\":")) != NULL; at++) {
		unsigned number = (unsigned)strtoul(at + strlen("\"port\":"), NULL, 10);
		bool is_lossy = strncmp(strchr(at, ','), ",\"lossy\":true", 13) == 0;

		ck_assert(port == 0 || number == port + 1);
		ck_assert_int_eq(is_lossy, number % LOSSY_EACH == 0);
		port = number;
		lossy += is_lossy;
	}
	return lossy;
}

/* 50 probes a flow in two seconds: ten are enough, if a busy machine skips the others. */
TEST(the_ports_that_get_no_reply_are_lossy)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("flows", "--json", "-n", "16", "-r", "400", "-d",
						  "2s", "-W", "2s", lossy_server()));

	EXPECT(&echoc, 1, NULL);
	ck_assert_uint_eq(json_check(echoc.output), 1 + 16 + 2 + 1);
	ck_assert_uint_eq(count_lossy_ports(&echoc), 4);
	ck_assert_double_eq(sum_of(&echoc, "lossy_flows"), 4);
	ck_assert_double_eq(sum_of(&echoc, "lossy_classes"), 1);
	ck_assert_double_eq(sum_of(&echoc, "paths_at_least"), 2);
	ck_assert_double_eq(sum_of(&echoc, "paths"), 4);
	ck_assert_double_eq(json_get(echoc.output, "class", "flows"), 12);
}

static bool is_named(const struct echoc *echoc, unsigned port)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", port);
	return strstr(echoc->output, text) != NULL;
}

TEST(the_text_names_these_ports_and_no_other)
{
	static const char before[] = "\n      ports ";
	struct echoc echoc = echoc_run(ECHOC_ARGS("flows", "-v", "-n", "16", "-r", "400", "-d",
						  "2s", "-W", "2s", lossy_server()));
	const char *ports = strstr(echoc.output, before);
	unsigned first;

	EXPECT(&echoc, 1, "16 source ports, 64 bytes, 400 probes a second in all\n",
	       "4 of 16 flows lose more than the others.\n", "\nAt least 2 paths; about 4 (",
	       "\nTo repeat a lossy flow: echoc ping -u -s 64 -I 127.0.0.1:");
	ck_assert_ptr_nonnull(ports);
	first = (unsigned)strtoul(ports + strlen(before), NULL, 10);
	for (unsigned port = first - 15; port < first + 16; port++) {
		bool is_lossy = port % LOSSY_EACH == 0;

		ck_assert_msg(is_named(&echoc, port) == (is_lossy && port >= first), "%u: %s", port,
			      echoc.output);
	}
}

TEST(without_a_loss_nothing_is_found)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("flows", "-n", "8", "-r", "200", "-d", "300ms",
						  "-W", "20s", FAULTY(.datagram = true)));

	EXPECT(&echoc, 0, "\nNo flow lost anything.\n");
	ck_assert_ptr_null(strstr(echoc.output, "ports "));
	ck_assert_ptr_null(strstr(echoc.output, "To repeat"));
}

TEST(what_all_lose_is_no_flows_fault)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("flows", "-n", "8", "-r", "200", "-d", "300ms",
						  "-W", "100ms", closed_port()));

	EXPECT(&echoc, 1, "\n 100.0 %      8", "\nNo flow loses more than the others.\n",
	       " times refused: nothing listens there\n");
}

TEST(a_connection_each_over_tcp)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("flows", "-t", "--json", "-n", "100", "-r", "400",
						  "-d", "400ms", "-W", "20s", FAULTY(.size = 64)));

	(void)json_check(echoc.output);
	ck_assert_int_eq(echoc.status, 0);
	ck_assert(json_is(echoc.output, "start", "protocol", "\"tcp\""));
	ck_assert_uint_eq(json_count(echoc.output, "flow"), 100);
	ck_assert_double_eq(sum_of(&echoc, "lost"), 0);
	ck_assert_double_eq(sum_of(&echoc, "sent") + sum_of(&echoc, "skipped"), 160);
}

TEST(a_port_where_nothing_listens_loses_all_over_tcp)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("flows", "-t", "--json", "-n", "4", "-r", "100",
						  "-d", "200ms", "-W", "100ms", closed_port()));

	EXPECT_ERRORS(&echoc, 1, "Connection refused: nothing listens there");
	(void)json_check(echoc.output);
	ck_assert_double_gt(sum_of(&echoc, "sent"), 0);
	ck_assert_double_eq(sum_of(&echoc, "sent"), sum_of(&echoc, "lost"));
	ck_assert_double_eq(sum_of(&echoc, "lossy_flows"), 0);
}

#define STOP_MS 500

/* Neither lost nor sent in a burst later. */
TEST(what_was_due_while_it_was_stopped_is_skipped)
{
	struct echoc echoc =
		echoc_start(ECHOC_ARGS("flows", "--json", "-n", "8", "-r", "1000", "-d", "1h", "-W",
				       "20s", FAULTY(.datagram = true)));
	int64_t stopped;

	echoc_await(&echoc, "\"start\"");
	ck_assert_int_eq(kill(echoc.pid, SIGQUIT), 0);
	echoc_await_error(&echoc, " received, "); /* it has begun to send */
	echoc_pause(&echoc);
	stopped = now_ms();
	WAIT_UNTIL(now_ms() >= stopped + STOP_MS);
	ck_assert_int_eq(kill(echoc.pid, SIGINT), 0);
	ck_assert_int_eq(kill(echoc.pid, SIGCONT), 0);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, NULL);
	ck_assert_double_eq(sum_of(&echoc, "lost"), 0);
	ck_assert_double_ge(sum_of(&echoc, "skipped"), STOP_MS - 110);
}

TEST(an_interrupt_ends_it_with_the_result)
{
	struct echoc echoc = echoc_start(ECHOC_ARGS("flows", "--json", "-n", "8", "-d", "1h", "-W",
						    "20s", FAULTY(.datagram = true)));

	echoc_await(&echoc, "\"start\"");
	ck_assert_int_eq(kill(echoc.pid, SIGQUIT), 0);
	echoc_await_error(&echoc, " received, ");
	ck_assert_int_eq(kill(echoc.pid, SIGINT), 0);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, NULL);
	(void)json_check(echoc.output);
	ck_assert_double_eq(sum_of(&echoc, "lost"), 0);
}

/* A port that *HELD has. */
static unsigned hold_port(int *held)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	*held = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(*held, (struct sockaddr *)&address, sizeof(address)), 0);
	return port_bound_to(*held);
}

static struct echoc run_from(unsigned port)
{
	char source[32];

	snprintf(source, sizeof(source), "127.0.0.1:%u", port);
	return echoc_run(ECHOC_ARGS("flows", "--json", "-I", source, "-n", "2", "-r", "100", "-d",
				    "50ms", "-W", "20s", FAULTY(.datagram = true)));
}

TEST(a_source_port_in_use_is_named)
{
	int held;
	unsigned port = hold_port(&held);
	struct echoc echoc = run_from(port - 1);
	char text[64];

	snprintf(text, sizeof(text), "source port %u is in use", port);
	EXPECT_ERRORS(&echoc, 2, text);
	close(held);
	echoc = run_from(65535);
	EXPECT_ERRORS(&echoc, 2, "2 ports from 65535 on: the last one is 65535");
}

TEST(the_source_ports_begin_with_the_one_given)
{
	int held;
	unsigned port = hold_port(&held);
	struct echoc echoc;

	close(held);
	echoc = run_from(port);
	EXPECT(&echoc, 0, NULL);
	(void)json_check(echoc.output);
	ck_assert_double_eq(json_get(echoc.output, "flow", "port"), port);
}

TEST(too_few_open_files_are_named)
{
	const struct rlimit few = {100, 100};
	struct echoc echoc;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	echoc = echoc_run(ECHOC_ARGS("flows", "-n", "80", closed_port()));
	EXPECT_ERRORS(&echoc, 2, "80 sockets need 112 open files, but the limit is 100: ");
}

TEST(the_limit_of_open_files_is_raised_as_far_as_need_be)
{
	const struct rlimit some = {100, 200};
	struct echoc echoc;

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &some), 0);
	echoc = echoc_run(ECHOC_ARGS("flows", "-n", "80", "-d", "50ms", "-W", "20s",
				     FAULTY(.datagram = true)));
	EXPECT(&echoc, 0, "\n80 source ports, ");
}

TEST(an_address_that_reaches_nothing_is_an_error)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("flows", "-I", "127.0.0.1", "192.0.2.1"));

	EXPECT_ERRORS(&echoc, 2, "192.0.2.1:7");
}

TEST(a_silent_connection_is_given_up_and_made_again_from_the_same_port)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("flows", "-t", "--json", "-n", "2", "-r", "40", "-d", "1s",
				     "-W", "100ms", FAULTY(.fault = FAULT_DROP, .size = 64)));

	EXPECT(&echoc, 1, NULL);
	(void)json_check(echoc.output);
	ck_assert_double_gt(sum_of(&echoc, "reconnects"), 0);
	ck_assert_double_gt(sum_of(&echoc, "lost"), 0);
	ck_assert_double_eq(sum_of(&echoc, "unsent"), 0);
}

TEST(a_closed_connection_is_made_again)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("flows", "-t", "-n", "2", "-r", "40", "-d", "1s", "-W", "20s",
				     FAULTY(.fault = FAULT_CLOSE, .at = 3, .size = 64)));

	EXPECT(&echoc, 1, " reconnects\n");
}

TEST(incidents_have_lines_of_their_own)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("flows", "-n", "1", "-r", "40", "-d", "200ms", "-W", "20s",
				     FAULTY(.datagram = true, .fault = FAULT_FLIP, .offset = 40)));

	EXPECT(&echoc, 1, "\n1 source port, ", "\nNo flow lost anything.\n", " replies corrupt\n");
	echoc = echoc_run(ECHOC_ARGS("flows", "-n", "1", "-r", "40", "-d", "200ms", "-W", "20s",
				     FAULTY(.datagram = true, .fault = FAULT_DUPLICATE, .at = 1)));
	EXPECT(&echoc, 0, "\n1 duplicate\n");
}
