/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* For tests of echod's configuration: loads a text as if it were a file. */

#pragma once

#include "echod/config/load.h"
#include "unit/said.h"

static inline struct config *load_source(struct config_source *source)
{
	listen_for(source->path);
	return config_load(source, hear);
}

static inline struct config *load_bytes(const char *bytes, size_t length)
{
	char path[SAID_PATH_MAX];
	int fd = said_file(bytes, length, path);
	struct config_source source = {.path = path, .must_exist = true};
	struct config *config;

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
