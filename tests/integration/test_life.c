/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The end of a daemon's life, and the signals until then: what they do, and what they do not. What
 * its log looks like to the journal, and to others.
 */

#include "config.h"

#include <ctype.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

/* Nothing in a test may take this long: what ends, ends for another reason. */
#define PATIENT "[server]\nworkers = 2\nlog_level = info\ndrain_timeout = 10m\n"
#define HASTY "[server]\nworkers = 2\nlog_level = info\ndrain_timeout = 300ms\n"
#define LISTENER "[listener a]\naddress = 127.0.0.1:0\n"

/* It ends by itself, well. */
static void expect_good_end(struct echod *echod)
{
	ck_assert_int_eq(echod_wait(echod), 0);
	ck_assert_uint_eq(echod_log_count(echod, ": stopped\n"), 1);
}

TEST_CASE("stopping");

TEST_EACH(term_and_int_end_idle_connections_at_once, 2)
{
	struct echod *echod = echod_start(PATIENT LISTENER "address = unix:@DIR@/s\n");
	int idle = connect_to("127.0.0.1", port_of(echod));
	int used = connect_to("127.0.0.1", port_of(echod));
	int local = connect_to(echod_path(echod, "s"), 0);

	expect_echo(used, "used", 4);
	expect_echo(local, "local", 5);
	echod_signal(echod, _i == 0 ? SIGTERM : SIGINT);
	expect_end(idle);
	expect_end(used);
	expect_end(local);
	expect_good_end(echod);
}

TEST(a_connection_with_data_ends_when_all_of_it_is_back)
{
	struct echod *echod = echod_start(PATIENT LISTENER);
	struct stalled stalled = stall(echod);
	int idle = connect_to("127.0.0.1", port_of(echod));

	expect_echo(idle, "x", 1);
	echod_signal(echod, SIGTERM);
	expect_end(idle);
	WAIT_UNTIL(try_connect("127.0.0.1", port_of(echod)) < 0);
	ck_assert(echod_running(echod));
	stalled_expect_all(&stalled);
	expect_good_end(echod);
}

TEST(drain_timeout_resets_the_rest)
{
	struct echod *echod = echod_start(HASTY LISTENER);
	struct stalled stalled = stall(echod);
	int64_t before = now_ms();

	echod_end(echod);
	ck_assert_int_ge(now_ms() - before, 290);
	echod_wait_log(echod, "drain_timeout expired: resetting 1 connection");
	echod_wait_log(echod, " closed: shutdown, ");
	expect_gone(stalled.fd);
	expect_good_end(echod);
}

TEST(a_stop_that_waits_for_a_client_serves_no_datagrams_meanwhile)
{
	struct echod *echod = echod_start(PATIENT LISTENER);
	struct address to = at("127.0.0.1", echod_port(echod, "udp 127.0.0.1"));
	struct stalled stalled = stall(echod);
	int fd = datagram_socket("127.0.0.1");
	char byte;

	expect_datagram_echo(fd, "127.0.0.1", address_port(&to), "x", 1);
	ck_assert_int_eq(connect(fd, &to.sa, to.length), 0);
	echod_signal(echod, SIGTERM);
	/* That port is no longer served, so the kernel refuses the datagram. */
	WAIT_UNTIL(send(fd, "x", 1, 0) < 0
			   ? errno == ECONNREFUSED
			   : recv(fd, &byte, 1, MSG_DONTWAIT) < 0 && errno == ECONNREFUSED);
	ck_assert(echod_running(echod));
	stalled_expect_all(&stalled);
	expect_good_end(echod);
}

TEST(a_second_term_stops_now)
{
	struct echod *echod = echod_start(PATIENT LISTENER);
	struct stalled stalled = stall(echod);

	echod_signal(echod, SIGTERM);
	echod_wait_log(echod, "stopping: 1 connection");
	ck_assert(echod_running(echod));
	echod_stop_now(echod);
	expect_gone(stalled.fd);
	expect_good_end(echod);
}

/* Both are there when it goes on, as when timeout(1) signals the process and its group. */
TEST(two_signals_to_stop_at_once_are_one)
{
	struct echod *echod = echod_start(PATIENT LISTENER);
	struct stalled stalled = stall(echod);

	echod_pause(echod);
	echod_signal(echod, SIGTERM);
	echod_signal(echod, SIGINT);
	echod_signal(echod, SIGCONT);
	echod_wait_log(echod, "stopping: 1 connection");
	ck_assert_uint_eq(echod_counter(echod, "tcp_connections"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "stopping now"), 0);
	stalled_expect_all(&stalled);
	expect_good_end(echod);
}

TEST(a_drain_timeout_of_0_waits_for_nobody)
{
	struct echod *echod = echod_start("[server]\ndrain_timeout = 0\n" LISTENER);
	struct stalled stalled = stall(echod);
	int idle = connect_to("127.0.0.1", port_of(echod));

	expect_echo(idle, "x", 1);
	echod_end(echod);
	expect_end(idle);
	expect_gone(stalled.fd);
	expect_good_end(echod);
}

/* More than are accepted in a turn queue up while it is stopped; then all come at once. */
TEST(clients_in_the_queue_at_a_stop_are_served)
{
	struct echod *echod = echod_start("[server]\nworkers = 1\ndrain_timeout = 10m\n" LISTENER);
	int clients[WAITING];

	echod_pause(echod);
	connect_and_say_hello(clients, "127.0.0.1", port_of(echod));
	echod_signal(echod, SIGTERM);
	echod_signal(echod, SIGCONT);
	for (size_t i = 0; i < WAITING; i++) {
		expect_text(clients[i], "hello");
		expect_end(clients[i]);
		close(clients[i]);
	}
	expect_good_end(echod);
}

TEST(a_stop_during_a_reload_is_a_stop)
{
	struct echod *echod = echod_start(PATIENT LISTENER);

	echod_pause(echod);
	echod_signal(echod, SIGHUP);
	echod_signal(echod, SIGTERM);
	echod_signal(echod, SIGCONT);
	expect_good_end(echod);
}

/* The file may be broken by then, or about to be removed. */
TEST(a_reload_during_a_stop_is_none)
{
	struct echod *echod = echod_start(PATIENT LISTENER);
	struct stalled stalled = stall(echod);

	echod_signal(echod, SIGTERM);
	echod_wait_log(echod, "stopping: 1 connection");
	echod_write_config(echod, "nonsense\n");
	echod_signal(echod, SIGHUP);
	ck_assert_uint_eq(echod_counter(echod, "reloads_failure"), 0);
	ck_assert_uint_eq(echod_notified_count(echod, "RELOADING=1"), 0);
	stalled_expect_all(&stalled);
	expect_good_end(echod);
}

TEST_CASE("other signals");

TEST(usr1_logs_the_counters_at_any_level)
{
	struct echod *echod = echod_start("[server]\nlog_level = error\n[listener a]\n"
					  "address = unix:@DIR@/s\n");
	int fd = connect_to(echod_path(echod, "s"), 0);

	expect_echo(fd, "counted", 7);
	ck_assert_uint_eq(echod_counter(echod, "tcp_accepted"), 1);
	ck_assert_uint_eq(echod_counter(echod, "received_bytes_tcp"), 7);
	ck_assert_uint_eq(echod_counter(echod, "sent_bytes_tcp"), 7);
	ck_assert_uint_eq(echod_counter(echod, "reloads_success"), 0);
	echod_reload(echod, "nonsense\n");
	ck_assert_uint_eq(echod_counter(echod, "reloads_failure"), 1);
}

TEST(a_client_that_leaves_while_it_is_sent_to_harms_nobody)
{
	struct echod *echod = echod_start(PATIENT LISTENER "[defaults]\ngreeting = hello\n");
	int other;

	echod_signal(echod, SIGPIPE);
	echod_pause(echod);
	for (int i = 0; i < 50; i++) {
		int fd = connect_to("127.0.0.1", port_of(echod));

		send_all(fd, "answer me", 9);
		reset(fd);
	}
	echod_signal(echod, SIGCONT);
	other = connect_to("127.0.0.1", port_of(echod));
	expect_text(other, "hello");
	expect_echo(other, "still there", 11);
	WAIT_UNTIL(echod_counter(echod, "tcp_connections") == 1);
}

/* The log is a file here; for echod it is the journal's stream when the numbers are the same. */
static void pretend_journal(void *arg)
{
	const ino_t *difference = arg;
	struct stat status;
	char stream[64];

	if (fstat(STDERR_FILENO, &status) < 0)
		_exit(EXIT_FAILURE);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		 (uintmax_t)(status.st_ino + *difference));
	setenv("JOURNAL_STREAM", stream, 1);
}

static struct echod *start_with_journal(ino_t difference)
{
	return echod_start_with(
		ECHOD(.config = "[server]\nlog_level = info\n"
				"[listener a]\naddress = 127.0.0.1:0\n"
				"protocol = udp\ngreeting = not over udp\n"
				"[listener b]\naddress = 127.0.0.2:0\nprotocol = tcp\n",
		      .prepare = pretend_journal, .arg = &difference));
}

TEST_CASE("journal");

TEST(under_the_journal_lines_have_a_priority_and_no_time)
{
	struct echod *echod = start_with_journal(0);
	const char *log;

	connect_to("127.0.0.2", echod_port(echod, "tcp 127.0.0.2"));
	echod_wait_log(echod, "opened\n");
	echod_reload(echod, "nonsense\n");
	log = echod_log(echod);
	ck_assert_int_eq(strncmp(log, "<4>/", 4), 0);
	for (const char *line = log; *line != '\0'; line = strchr(line, '\n') + 1)
		ck_assert_msg(line[0] == '<' && line[1] >= '3' && line[1] <= '6' &&
				      line[2] == '>' && !isdigit((unsigned char)line[3]),
			      "%s", line);
	ck_assert_uint_eq(echod_log_count(echod, "<5>listening on udp 127.0.0.1:"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "<6>tcp 127.0.0.1:"), 1);
	ck_assert_uint_ge(echod_log_count(echod, "<3>"), 2);
	ck_assert_uint_eq(echod_log_count(echod, "greeting has no effect"), 1);
}

TEST(under_the_journal_a_refused_file_is_an_error)
{
	ino_t difference = 0;
	struct echod *echod = finished(
		ECHOD(.config = "nonsense\n", .prepare = pretend_journal, .arg = &difference),
		BAD_FILE);

	ck_assert_msg(strncmp(echod_log(echod), "<3>/", 4) == 0, "%s", echod_log(echod));
	ck_assert_uint_eq(echod_log_count(echod, "\n"), 1);
}

TEST(elsewhere_lines_have_a_time_and_no_priority)
{
	struct echod *echod = start_with_journal(1);
	const char *log = echod_log(echod);
	const char *line = strstr(log, "listening on tcp");
	int year = 0;

	ck_assert_ptr_nonnull(line);
	while (line > log && line[-1] != '\n')
		line--;
	ck_assert_int_eq(sscanf(line, "%4d-%*2d-%*2d %*2d:%*2d:", &year), 1);
	ck_assert_int_ge(year, 2026);
	ck_assert_ptr_null(strstr(log, "<5>"));
}
