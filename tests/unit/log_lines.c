/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See log_lines.h. */

#include "config.h"

#include "unit/log_lines.h"

#include <sys/mman.h>

#include "support/test.h"

static int saved = -1;
static char lines[1 << 20];

void log_lines_begin(enum log_level level)
{
	int fd = memfd_create("log", MFD_CLOEXEC);
	struct stat status;
	char stream[64];

	ck_assert_int_ge(fd, 0);
	saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 100);
	ck_assert_int_eq(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	close(fd);
	ck_assert_int_eq(fstat(STDERR_FILENO, &status), 0);
	snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)status.st_dev,
		 (uintmax_t)status.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_open();
	log_set_level(level);
}

void log_lines_end(void)
{
	if (saved < 0)
		return;
	dup2(saved, STDERR_FILENO);
	close(saved);
	saved = -1;
	unsetenv("JOURNAL_STREAM");
	log_open();
	log_set_level(LEVEL_NOTICE);
}

const char *log_lines(void)
{
	ssize_t length = pread(STDERR_FILENO, lines, sizeof(lines) - 1, 0);

	ck_assert_int_ge(length, 0);
	lines[length] = '\0';
	ck_assert_int_eq(ftruncate(STDERR_FILENO, 0), 0);
	ck_assert_int_eq(lseek(STDERR_FILENO, 0, SEEK_SET), 0);
	return lines;
}
