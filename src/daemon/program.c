/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See program.h. Owns the descriptors that stand in for closed ones. */

#include "config.h"

#include "daemon/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/signals.h"

/* In a bare chroot the directory stands in for /dev/null: nothing can be written to it either. */
static int open_nothing(void)
{
	int fd = open("/dev/null", O_RDWR);

	if (fd < 0)
		fd = open("/", O_PATH);
	return fd;
}

/* A socket must never become descriptor 2, which the log is written to. */
static void ensure_standard_descriptors(void)
{
	int fd;

	do {
		fd = open_nothing();
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

void program_begin(void)
{
	signals_block();
	signal(SIGXFSZ, SIG_IGN); /* a log file at its limit: the write fails, which is counted */
	ensure_standard_descriptors();
	log_open();
}

void program_report(enum log_level level, const char *line)
{
	if (log_is_journal())
		fprintf(stderr, "<%d>%s\n", level == LEVEL_ERROR ? 3 : 4, line);
	else
		fprintf(stderr, "%s\n", line);
}

enum exit_status program_end(enum exit_status status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	fprintf(stderr, "%s: cannot write to standard output\n", program_invocation_short_name);
	return STATUS_FAILURE;
}
