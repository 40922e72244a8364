/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What echoc bench refuses, warns about and prints: no option is taken and then ignored without a
 * word, and the tables fit the terminal.
 */

#include "config.h"

#include <sys/ioctl.h>
#include <termios.h>

#include "integration/echoc_run.h"
#include "integration/faulty_server.h"
#include "integration/harness.h"

#define COLUMNS 40

TEST(an_option_of_another_mode_is_named)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", "--report", "1s", "host"));

	EXPECT(&echoc, 2, "echoc: bench has no option --report\n");
	echoc = echoc_run(ECHOC_ARGS("send", "--report=1s", "host"));
	EXPECT(&echoc, 2, "echoc: send has no option --report\n");
}

TEST(a_depth_beside_a_rate_is_warned_about)
{
	const char *target = FAULTY(.datagram = true);
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "-u", "-p", "4", "-r", "100", "-d", "50ms", target));

	EXPECT(&echoc, 0, "echoc: -p has no effect with -r");
	echoc = echoc_run(ECHOC_ARGS("bench", "-u", "-r", "100", "-d", "50ms", target));
	EXPECT(&echoc, 0, "");
	ck_assert_str_eq(echoc.errors, "");
}

TEST_EACH(verbose_says_more, 2)
{
	struct echoc echoc = echoc_run(ECHOC_ARGS("bench", _i == 1 ? "-vu" : "-v", "-d", "50ms",
						  FAULTY(.datagram = _i == 1)));

	EXPECT(&echoc, 0, "from 127.0.0.1:", ", run ", "path MTU", "receive buffer");
}

/* It neither connects nor takes the memory: nobody listens there. */
TEST(more_than_fits_into_memory_is_refused)
{
	struct echoc echoc =
		echoc_run(ECHOC_ARGS("bench", "-c", "65536", "-p", "65536", closed_port()));

	EXPECT(&echoc, 2, "-c 65536 -p 65536 would take 128.0 GiB");
	echoc = echoc_run(ECHOC_ARGS("bench", "-c", "2048", "-r", "100000000", closed_port()));
	EXPECT(&echoc, 2, "-c 2048 -r 100000000 would take 2.0 GiB");
	echoc = echoc_run(ECHOC_ARGS("bench", "-c", "65536", closed_port()));
	EXPECT(&echoc, 2, "nothing listens there");
}

/* All that it printed on a terminal of so many columns. */
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
		execl(path ? path : "./echoc", "echoc", "bench", "-d", "50ms", target, NULL);
		_exit(127);
	}
	while ((got = read(terminal, text + length, size - 1 - length)) > 0)
		length += (size_t)got;
	text[length] = '\0';
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	close(terminal);
}

TEST(tables_fit_a_narrow_terminal)
{
	struct faulty faulty = {.size = 64};
	static char text[1 << 16];
	unsigned rows = 0;

	run_on_terminal(faulty_start(&faulty), text, sizeof(text));
	for (char *line = strtok(text, "\r\n"); line; line = strtok(NULL, "\r\n")) {
		if (strncmp(line, "  ", 2) != 0 || strstr(line, "echoc used"))
			continue;
		ck_assert_msg(strlen(line) <= COLUMNS, "too wide: %s", line);
		rows++;
	}
	ck_assert_uint_gt(rows, 20);
}
