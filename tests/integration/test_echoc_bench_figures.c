/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The figures of echoc bench say what happened on the path and at the server, and name what was our
 * own doing, such as being held up past all of its run; no option is taken and then ignored without
 * a word, and the tables fit the terminal.
 */

#include "config.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"

#define FLOOD 20000 /* more small datagrams than the largest buffer that echoc asks for */

/* Replies that come while echoc does not read are more than its socket has room for. */
TEST_EACH(what_our_own_socket_drops_is_named, 2)
{
	int server = datagram_socket("127.0.0.1");
	struct echoc echoc = echoc_start(ECHOC_ARGS("bench", _i == 0 ? "--json" : "-u", "-u", "-r",
						    "1000", "-d", "1h", target_of(server)));
	struct datagram probe;

	receive_datagram(server, &probe);
	echoc_pause(&echoc);
	for (unsigned i = 0; i < FLOOD; i++)
		send_datagram(server, &probe.from, probe.data, probe.size);
	kill(echoc.pid, SIGINT);
	kill(echoc.pid, SIGCONT);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 1, NULL);
	if (_i == 0) {
		(void)json_check(echoc.output);
		ck_assert_double_gt(sum_of(&echoc, "own_drops"), sum_of(&echoc, "lost"));
	} else {
		EXPECT(&echoc, 1, " dropped by our own socket's buffer, not by the network");
	}
	ck_assert_ptr_null(strstr(echoc.output, "udp_rate"));
	ck_assert_ptr_null(strstr(echoc.errors, "udp_rate"));
}

/* The server waits until all is due, far more than the buffers hold; then it answers. */
TEST(what_was_due_and_never_sent_is_no_success)
{
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("bench", "--json", "-r", "100000", "-d", "200ms", "-s", "4096",
			   FAULTY(.size = 4096, .fault = FAULT_DELAY, .at = 1, .delay_ms = 300)));

	EXPECT(&echoc, 1, NULL);
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
	ck_assert_double_ge(sum_of(&echoc, "duration_s"), 0.25);
	ck_assert_double_gt(sum_of(&echoc, "messages_per_s"), 0);
}

/* It is lost after a second, and late in the next interval, in which nothing is lost. */
TEST(late_is_a_part_of_lost_in_every_interval)
{
	struct faulty faulty = {.datagram = true, .fault = FAULT_DELAY, .at = 1, .delay_ms = 1500};
	struct echoc echoc = echoc_run(
		ECHOC_ARGS("bench", "-u", "--json", "-r", "50", "-d", "2s", faulty_start(&faulty)));

	EXPECT(&echoc, 1, NULL);
	ck_assert_double_ge(sum_of(&echoc, "late"), 1);
	ck_assert_double_le(sum_of(&echoc, "late"), sum_of(&echoc, "lost"));
	for (const char *at = echoc.output; (at = strstr(at, "{\"type\":\"interval\"")); at++)
		ck_assert_double_le(json_get(at, "interval", "late"),
				    json_get(at, "interval", "lost"));
}

/* Its reply would take 20 s, and each of its bytes comes before the silence is long enough. */
/* More than the timeout, and less than a second. */
TEST(a_timeout_may_be_chosen)
{
	const char *target = FAULTY(.datagram = true, .fault = FAULT_DELAY, .delay_ms = 500);
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", "-u", "--json", "-r", "20", "-d",
						  "300ms", "-W", "100ms", target));

	(void)json_check(echoc.output);
	ck_assert_double_eq(json_get(echoc.output, "start", "timeout_ms"), 100);
	ck_assert_double_eq(sum_of(&echoc, "received"), 0);
	echoc = echoc_run(ECHOC_ARGS("bench", "-u", "--json", "-r", "20", "-d", "300ms", "-W",
				     "20s", target));
	ck_assert_double_eq(sum_of(&echoc, "lost"), 0);
}

TEST(a_server_that_drips_is_not_waited_for_for_ever)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "--json", "-d", "50ms", "-s", "200",
				     FAULTY(.size = 200, .fault = FAULT_DRIP, .delay_ms = 100)));

	EXPECT_ERRORS(&echoc, 1, "1 still outstanding at the end of the wait");
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

#define COLUMNS 40

TEST(a_depth_beside_a_rate_is_warned_about)
{
	const char *target = FAULTY(.datagram = true);
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "-u", "-p", "4", "-r", "100", "-d", "50ms", target));

	EXPECT_ERRORS(&echoc, 0, "echoc: -p has no effect with -r");
	echoc = echoc_run(ECHOC_ARGS("bench", "-u", "-r", "100", "-d", "50ms", target));
	EXPECT(&echoc, 0, NULL);
	ck_assert_str_eq(echoc.errors, "");
}

TEST_EACH(verbose_prints_more, 2)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", _i == 1 ? "-vu" : "-v", "-d", "50ms",
						  FAULTY(.datagram = _i == 1)));

	EXPECT(&echoc, 0, "from 127.0.0.1:", ", run ", "path MTU", "receive buffer");
}

/* All that it printed on a terminal of this width. */
static void run_on_terminal(const char *target, char *text, size_t size)
{
	struct winsize window = {.ws_row = 24, .ws_col = COLUMNS};
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	const char *path = getenv("ECHOC");
	size_t length = 0;
	ssize_t got;
	pid_t pid;
	int status;

	ck_assert(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
	ck_assert_int_eq(ioctl(terminal, TIOCSWINSZ, &window), 0);
	setenv("LC_ALL", "C", 1);
	pid = fork();
	if (pid == 0) {
		dup2(open(ptsname(terminal), O_RDWR | O_NOCTTY), STDOUT_FILENO);
		execl(path ? path : "./echoc", "echoc", "bench", "-d", "1100ms", target, NULL);
		_exit(127);
	}
	while ((got = read(terminal, text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(terminal);
}

/* The live line was drawn once, and is erased when they come. */
TEST(tables_fit_a_narrow_terminal)
{
	struct faulty faulty = {.size = 64};
	static char text[1 << 16];
	unsigned rows = 0;

	run_on_terminal(faulty_start(&faulty), text, sizeof(text));
	ck_assert_ptr_nonnull(strstr(text, "/s "));
	ck_assert_ptr_nonnull(strstr(text, "\r\033[Jechoc bench: 127.0.0.1:"));
	for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n")) {
		if (strncmp(line, "  ", 2) != 0 || strstr(line, "echoc used"))
			continue;
		ck_assert_msg(strlen(line) <= COLUMNS, "too wide: %s", line);
		rows++;
	}
	ck_assert_uint_gt(rows, 20);
}

#define DURATION "120ms"
#define DURATION_MS 120

/* For longer than the run; false when that was over before we came to it. */
static bool hold_up(const struct echoc *echoc)
{
	int64_t stopped;
	siginfo_t info;

	kill(echoc->pid, SIGSTOP);
	ck_assert_int_eq(waitid(P_PID, (id_t)echoc->pid, &info, WSTOPPED | WEXITED | WNOWAIT), 0);
	if (info.si_code != CLD_STOPPED)
		return false;
	stopped = now_ms();
	WAIT_UNTIL(now_ms() - stopped > 2 * DURATION_MS);
	kill(echoc->pid, SIGCONT);
	return true;
}

/* Nothing answers, and a client that waits for it stays for a second. False as below. */
static bool sends_what_was_due(void)
{
	int server = datagram_socket("127.0.0.1");
	struct pollfd first = {.fd = server, .events = POLLIN};
	struct echoc echoc;
	bool held;

	echoc = echoc_start(ECHOC_ARGS("bench", "-u", "--json", "-r", "1000", "-d", DURATION,
				       target_of(server)));
	ck_assert_int_eq(poll(&first, 1, patience_ms()), 1);
	held = hold_up(&echoc);
	echoc_finish(&echoc, NULL, 0);
	ck_assert_double_eq(sum_of(&echoc, "sent"), DURATION_MS);
	ck_assert_double_eq(sum_of(&echoc, "unsent"), 0);
	close(server);
	return held;
}

TEST(what_was_due_is_sent_late)
{
	WAIT_UNTIL(sends_what_was_due());
}

/* When there are two, the time of the run is set, and it begins 20 ms later. */
static size_t count_threads(pid_t pid)
{
	struct stat tasks;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	ck_assert_int_eq(stat(path, &tasks), 0);
	return tasks.st_nlink - 2;
}

/* False when it could not be held up, as we were not there in time. */
static bool sends_something(const char *option, const char *target)
{
	struct echoc echoc =
		echoc_start(ECHOC_ARGS("bench", "--json", "-d", DURATION, option, target));
	bool held;

	WAIT_UNTIL(count_threads(echoc.pid) >= 2 || echoc_has_ended(&echoc));
	held = hold_up(&echoc);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, NULL);
	ck_assert_double_gt(sum_of(&echoc, "received"), 0);
	ck_assert_double_eq(sum_of(&echoc, "lost"), 0);
	return held;
}

TEST_EACH(a_bench_stopped_for_all_of_its_run_sends_something, 2)
{
	const char *target = FAULTY(.datagram = _i == 1);

	WAIT_UNTIL(sends_something(_i == 1 ? "-u" : "-v", target));
}
