/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * For tests of the configuration: loads a text as if it were a file and keeps what was reported
 * about it. The file has no name in a directory, so nothing is left behind.
 */

#pragma once

#include <sys/mman.h>

#include "echod/config/load.h"
#include "support/test.h"

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

static inline struct config *load_source(struct config_source *source)
{
	(void)snprintf(said_path, sizeof(said_path), "%s", source->path);
	forget();
	return config_load(source, hear);
}

static inline struct config *load_bytes(const char *bytes, size_t length)
{
	int fd = memfd_create("echod.conf", MFD_CLOEXEC);
	char path[32];
	struct config_source source = {.path = path, .must_exist = true};
	struct config *config;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes, length), (ssize_t)length);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	config = load_source(&source);
	close(fd);
	return config;
}

static inline struct config *load_text(const char *text)
{
	return load_bytes(text, strlen(text));
}

/* For a text without a fault. */
static inline struct config *load_good(const char *text)
{
	struct config *config = load_text(text);

	ck_assert_msg(config != NULL, "%s", said.lines);
	ck_assert_msg(said.length == 0, "%s", said.lines);
	return config;
}

/* The dump of a configuration, to be freed. */
static inline char *dump_text(const struct config *config)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	ck_assert_int_eq(config_dump(config, out), 0);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}
