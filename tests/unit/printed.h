/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a function prints on standard output, which is no terminal then. */

#pragma once

#include <sys/mman.h>

#include "support/test.h"

#define PRINTED_MAX 16384

static int own_output = -1;

/* From now on it is kept. */
static inline void print_begin(void)
{
	int file = memfd_create("printed", MFD_CLOEXEC);

	fflush(stdout);
	own_output = dup(STDOUT_FILENO);
	ck_assert_int_eq(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
	close(file);
}

/* All that was printed since then; good until the next call. */
static inline char *print_end(void)
{
	static char text[PRINTED_MAX];
	ssize_t length;

	fflush(stdout);
	length = pread(STDOUT_FILENO, text, sizeof(text) - 1, 0);
	ck_assert_int_eq(dup2(own_output, STDOUT_FILENO), STDOUT_FILENO);
	close(own_output);
	ck_assert_int_ge(length, 0);
	text[length] = '\0';
	return text;
}
