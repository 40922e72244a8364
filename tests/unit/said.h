/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * For tests of a program's settings: a text as if it were a file, and what was reported about it.
 * The file has no name in a directory, so nothing is left behind.
 */

#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include "daemon/settings/findings.h"
#include "support/test.h"

#define SAID_PATH_MAX 32

struct said {
	unsigned errors;
	unsigned warnings;
	size_t length;
	char lines[1 << 20]; /* each with a newline; paths are replaced by "F" */
};

static struct said said;
static char said_path[64];

static inline void hear(enum log_level level, const char *line)
{
	size_t path = strlen(said_path);
	bool named = path > 0 && strncmp(line, said_path, path) == 0;

	ck_assert_ptr_null(strchr(line, '\n'));
	ck_assert(level == LEVEL_ERROR || level == LEVEL_WARNING);
	said.errors += level == LEVEL_ERROR;
	said.warnings += level == LEVEL_WARNING;
	said.length += (size_t)snprintf(said.lines + said.length, sizeof(said.lines) - said.length,
					"%s%s\n", named ? "F" : "", named ? line + path : line);
	ck_assert_uint_lt(said.length, sizeof(said.lines));
}

static inline void forget(void)
{
	said.errors = said.warnings = 0;
	said.length = 0;
	said.lines[0] = '\0';
}

/* A file of these bytes, to be closed, and its name in PATH. */
static inline int said_file(const char *bytes, size_t length, char path[static SAID_PATH_MAX])
{
	int fd = memfd_create("settings", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	(void)snprintf(path, SAID_PATH_MAX, "/proc/self/fd/%d", fd);
	return fd;
}

/* Before a load: forgets what was said, and says F for PATH. */
static inline void listen_for(const char *path)
{
	(void)snprintf(said_path, sizeof(said_path), "%s", path);
	forget();
}
