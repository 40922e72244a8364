/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Signals that come before there is anything to serve them, and SIGXFSZ: none kills. */

#include "config.h"

#include <sys/ioctl.h>
#include <sys/resource.h>

#include "integration/harness.h"
#include "integration/process.h"
#include "integration/scenes.h"

#define SMALL_PIPE 4096
#define LARGE_PIPE (1024 * 1024)
#define UNIX_LISTENER "[listener u]\naddress = unix:@DIR@/s unixgram:@DIR@/d\n"

/* An echod whose standard error is a pipe, and which waits until the test reads that. */
struct held {
	struct echod *echod;
	int log;
};

static void write_into_pipe(void *arg)
{
	if (dup2(*(int *)arg, STDERR_FILENO) < 0)
		_exit(EXIT_FAILURE);
}

/* More warnings than a small pipe holds; they come before any socket is opened. */
static const char *warnings(void)
{
	static char text[8192];
	FILE *out = fmemopen(text, sizeof(text), "w");

	ck_assert_ptr_nonnull(out);
	fputs(UNIX_LISTENER, out);
	for (int i = 0; i < 80; i++)
		fprintf(out,
			"[listener %d]\naddress = 127.0.1.%d:0\nprotocol = tcp\nudp_rate = 7\n", i,
			i);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

static int bytes_waiting(int fd)
{
	int bytes = 0;

	ck_assert_int_eq(ioctl(fd, FIONREAD, &bytes), 0);
	return bytes;
}

static struct held held_in_its_start(void)
{
	int ends[2];
	struct echod_setup setup = {
		.config = warnings(), .prepare = write_into_pipe, .arg = &ends[1]};
	struct held held;

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	ck_assert_int_ge(fcntl(ends[1], F_SETPIPE_SZ, SMALL_PIPE), SMALL_PIPE);
	held.echod = echod_spawn(&setup);
	held.log = ends[0];
	close(ends[1]);
	WAIT_UNTIL(bytes_waiting(held.log) > 0 || !echod_running(held.echod));
	return held;
}

static void let_go(const struct held *held)
{
	ck_assert_int_ge(fcntl(held->log, F_SETPIPE_SZ, LARGE_PIPE), LARGE_PIPE);
}

/* Expects a good end, and WHAT in the log. */
static void expect_end_of(struct held *held, const char *what)
{
	static char log[LARGE_PIPE + 1];
	ssize_t length;

	ck_assert_int_eq(echod_wait(held->echod), 0);
	ck_assert_int_ne(access(echod_path(held->echod, "s"), F_OK), 0);
	ck_assert_int_ne(access(echod_path(held->echod, "d"), F_OK), 0);
	length = read(held->log, log, LARGE_PIPE);
	ck_assert_int_ge(length, 0);
	log[length] = '\0';
	ck_assert_msg(strstr(log, what) != NULL, "no \"%s\" in: %s", what, log);
	close(held->log);
	echod_free(held->echod);
}

TEST_CASE("before there is a loop");

TEST_EACH(a_stop_signal_during_the_start_is_obeyed, 2)
{
	static const int numbers[] = {SIGTERM, SIGINT};
	struct held held = held_in_its_start();

	echod_signal(held.echod, numbers[_i]);
	let_go(&held);
	expect_end_of(&held, "stopped");
}

TEST(a_reload_during_the_start_is_done_after_it)
{
	struct held held = held_in_its_start();

	echod_signal(held.echod, SIGHUP);
	let_go(&held);
	WAIT_UNTIL(echod_notified_count(held.echod, "READY=1") == 2 || !echod_running(held.echod));
	echod_signal(held.echod, SIGTERM);
	expect_end_of(&held, "reloaded");
}

TEST(figures_asked_for_during_the_start_are_logged_after_it)
{
	struct held held = held_in_its_start();

	echod_signal(held.echod, SIGUSR1);
	let_go(&held);
	WAIT_UNTIL(echod_notified_count(held.echod, "READY=1") == 1 || !echod_running(held.echod));
	echod_signal(held.echod, SIGTERM);
	expect_end_of(&held, "tcp_accepted");
}

/* As a shell script or a supervisor may leave them; ARG is one that has come already, or 0. */
static void block_signals(void *arg)
{
	const int *pending = arg;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	if (*pending != 0)
		raise(*pending);
}

TEST(signals_that_a_parent_has_blocked_are_served)
{
	int none = 0;
	struct echod *echod = echod_start_with(
		ECHOD(.config = UNIX_LISTENER, .prepare = block_signals, .arg = &none));

	echod_reload(echod, UNIX_LISTENER);
}

TEST(a_stop_does_not_wait_for_sockets_to_be_opened)
{
	int pending = SIGTERM;
	struct echod *echod = finished(
		ECHOD(.config = UNIX_LISTENER, .prepare = block_signals, .arg = &pending), 0);

	expect_one_line(echod, "stopped: ", "before all sockets were open");
	ck_assert_uint_eq(echod_notified_count(echod, "READY=1"), 0);
	ck_assert_int_ne(access(echod_path(echod, "s"), F_OK), 0);
}

TEST(a_check_can_be_interrupted)
{
	int pending = SIGINT;

	finished(ECHOD(.config = UNIX_LISTENER, .arguments = ARGUMENTS("-t"),
		       .prepare = block_signals, .arg = &pending),
		 128 + SIGINT);
}

/* So small that the log of a start does not fit. */
static void limit_files(void *arg UNUSED)
{
	struct rlimit small = {.rlim_cur = 64, .rlim_max = 64};

	if (setrlimit(RLIMIT_FSIZE, &small) < 0)
		_exit(EXIT_FAILURE);
}

TEST_CASE("files that may not grow");

TEST(a_log_file_at_its_limit_ends_nothing)
{
	struct echod *echod =
		echod_start_with(ECHOD(.config = UNIX_LISTENER, .prepare = limit_files));

	ck_assert_uint_eq(strlen(echod_log(echod)), 64);
}

TEST(an_output_file_at_its_limit_is_no_success)
{
	finished(ECHOD(.config = "", .arguments = ARGUMENTS("-T"), .prepare = limit_files),
		 FAILURE);
}
