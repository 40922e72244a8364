/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Command lines in words, and what they make a program write, for tests that read it. */

#pragma once

#include "support/test.h"

#define WORDS_MAX 16

static char text[8192]; /* what was written last */

/* What RUN writes to STREAM, which is FD, ends up in text. */
static inline int captured(FILE *stream, int fd, int (*run)(char *argv[]), char *argv[])
{
	int saved = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	int ends[2];
	int status;
	ssize_t n;

	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	fflush(stream);
	dup2(ends[1], fd);
	status = run(argv);
	fflush(stream);
	dup2(saved, fd);
	n = read(ends[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	close(saved);
	close(ends[0]);
	close(ends[1]);
	return status;
}

static inline int words_count(char *argv[])
{
	int count = 0;

	while (argv[count])
		count++;
	return count;
}

/* LINE is split at its blanks; what goes to standard error ends up in text. */
static inline int words_run(const char *program, const char *line, int (*run)(char *argv[]))
{
	static char words[512]; /* parsing may keep some */
	char *argv[WORDS_MAX] = {words};
	int count = 1;
	char *rest;

	(void)snprintf(words, sizeof(words), "%s %s", program, line);
	(void)strtok_r(words, " ", &rest);
	for (char *word; (word = strtok_r(NULL, " ", &rest)); count++) {
		ck_assert_int_lt(count, WORDS_MAX - 1);
		argv[count] = word;
	}
	return captured(stderr, STDERR_FILENO, run, argv);
}

static inline bool begins_with(const char *line, const char *with)
{
	return strncmp(line, with, strlen(with)) == 0;
}
