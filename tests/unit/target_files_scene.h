/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* For tests of files of targets: a directory with a configuration that names them. */

#pragma once

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/settings/settings.h"
#include "echom/config/target_files.h"
#include "support/test.h"

#define ONE(target) "[{\"targets\":[\"" target "\"]}]"

static char directory[32];
static char configuration[64]; /* its path */
static char said[4096];
static struct target_files *files;
static struct watchlist *list;

static inline const char *path_of(const char *name)
{
	static char paths[4][64];
	static unsigned which;
	char *path = paths[which++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static inline void write_file(const char *name, const char *text)
{
	FILE *file = fopen(path_of(name), "we");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static inline void replace_file(const char *name, const char *text)
{
	write_file("new", text);
	ck_assert_int_eq(rename(path_of("new"), path_of(name)), 0);
}

/* Without the directory, wherever it is in the line. Asserts nothing: there may be no memory. */
static inline void hear(enum log_level level, const char *line)
{
	static const char marks[] = "EWN";
	size_t length = strlen(directory) + 1;
	size_t used = strlen(said);

	said[used++] = marks[level];
	said[used++] = ' ';
	while (*line != '\0' && used < sizeof(said) - 2) {
		if (strncmp(line, directory, length - 1) == 0)
			line += length;
		said[used++] = *line++;
	}
	memcpy(said + used, "\n", 2);
}

static inline void expect_said(const char *lines)
{
	ck_assert_str_eq(said, lines);
	said[0] = '\0';
}

/* Names of the targets, each with its labels. */
static inline const char *watched(void)
{
	static char bytes[2048];
	struct bounded_text text;

	bounded_text_begin(&text, bytes, sizeof(bytes));
	for (size_t i = 0; i < list->count; i++) {
		bounded_text_add(&text, "%s%s", i > 0 ? " " : "", watch_name(&list->targets[i]));
		labels_write(&list->targets[i].labels, &text);
	}
	return bytes;
}

static const struct settings_source source = {.path = configuration, .must_exist = true};

static inline struct watchlist *load_next(struct target_files **next)
{
	return target_files_load(next, files, &source, hear);
}

static inline void load(void)
{
	struct target_files *next;
	struct watchlist *loaded = load_next(&next);

	ck_assert_msg(loaded != NULL, "%s", said);
	target_files_free(files);
	watchlist_release(list);
	files = next;
	list = loaded;
}

/* Whether there is another list, which is then in force. */
static inline bool refresh(void)
{
	struct watchlist *next = target_files_refresh(files, list, hear);

	if (!next)
		return false;
	watchlist_release(list);
	list = next;
	return true;
}

static inline void configure(const char *paths, const char *more)
{
	char text[1024], *rest, names[256];
	size_t used = (size_t)snprintf(text, sizeof(text), "[server]\n");

	(void)snprintf(names, sizeof(names), "%s", paths);
	for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
		used += (size_t)snprintf(text + used, sizeof(text) - used, "targets_file = %s\n",
					 path_of(name));
	(void)snprintf(text + used, sizeof(text) - used, "%s", more);
	write_file("conf", text);
}

static inline void set_up_files(void)
{
	files = NULL;
	list = NULL;
	said[0] = '\0';
	(void)snprintf(directory, sizeof(directory), "/tmp/echom-targets-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
	(void)snprintf(configuration, sizeof(configuration), "%s/conf", directory);
}

static inline void tear_down_files(void)
{
	static const char *const names[] = {"conf", "a", "b", "new", "link"};

	target_files_free(files);
	watchlist_release(list);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		(void)unlink(path_of(names[i]));
	(void)rmdir(path_of("a"));
	(void)rmdir(directory);
}
