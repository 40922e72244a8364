/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A bench that gets no core until its time is over. */

#include "config.h"

#include <poll.h>

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/json_lines.h"
#include "integration/net.h"

#define DURATION "120ms"
#define DURATION_MS 120

static double sum_of(const struct echoc *echoc, const char *name)
{
	return json_get(echoc->output, "summary", name);
}

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

/* Nobody answers; and who waits for that will be there for a second. False as below. */
static bool sends_what_was_due(void)
{
	int server = datagram_socket("127.0.0.1");
	struct pollfd first = {.fd = server, .events = POLLIN};
	struct echoc echoc;
	char target[32];
	bool held;

	snprintf(target, sizeof(target), "127.0.0.1:%u", port_bound_to(server));
	echoc = echoc_start(
		ECHOC_ARGS("bench", "-u", "--json", "-r", "1000", "-d", DURATION, target));
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

static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	return info.si_pid != 0;
}

/* False when it could not be held up, as we were not there in time. */
static bool sends_something(const char *option, const char *target)
{
	struct echoc echoc =
		echoc_start(ECHOC_ARGS("bench", "--json", "-d", DURATION, option, target));
	bool held;

	WAIT_UNTIL(count_threads(echoc.pid) >= 2 || has_ended(echoc.pid));
	held = hold_up(&echoc);
	echoc_finish(&echoc, NULL, 0);
	EXPECT(&echoc, 0, "");
	ck_assert_double_gt(sum_of(&echoc, "received"), 0);
	ck_assert_double_eq(sum_of(&echoc, "lost"), 0);
	return held;
}

TEST_EACH(who_misses_all_of_the_run_sends_something, 2)
{
	const char *target = FAULTY(.datagram = _i == 1);

	WAIT_UNTIL(sends_something(_i == 1 ? "-u" : "-v", target));
}
