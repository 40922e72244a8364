/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See paths.h. Called through its row in settings.c. */

#include "config.h"

#include "echom/config/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check_path(const struct paths *paths, const char *text, struct reason *reason)
{
	if (text[0] != '/')
		return reason_set(reason, "\"%s\" does not begin with /: name the whole path",
				  text);
	if (strpbrk(text, "*?["))
		return reason_set(reason, "\"%s\" is a pattern: name each file", text);
	for (size_t i = 0; i < paths->count; i++) {
		if (strcmp(paths->items[i], text) == 0)
			return reason_set(reason, "\"%s\" is named twice", text);
	}
	if (paths->count == PATHS_MAX)
		return reason_set(reason, "more than %d files", PATHS_MAX);
	return 0;
}

static int parse_path(const struct setting *setting UNUSED, void *value, const char *text,
		      struct reason *reason)
{
	struct paths *paths = value;
	char **items;

	if (check_path(paths, text, reason) < 0)
		return -1;
	items = reallocarray(paths->items, paths->count + 1, sizeof(*items));
	if (!items)
		return reason_set(reason, "not enough memory");
	paths->items = items;
	items[paths->count] = strdup(text);
	if (!items[paths->count])
		return reason_set(reason, "not enough memory");
	paths->count++;
	return 0;
}

static bool format_path(const struct setting *setting UNUSED, const void *value, size_t item,
			char *text)
{
	const struct paths *paths = value;

	if (item >= paths->count)
		return false;
	(void)snprintf(text, VALUE_TEXT_MAX, "%s", paths->items[item]);
	return true;
}

static void clear_paths(void *value)
{
	struct paths *paths = value;

	for (size_t i = 0; i < paths->count; i++)
		free(paths->items[i]);
	free(paths->items);
	*paths = (struct paths){0};
}

/* Never shared: [defaults] has none. */
const struct value_type paths_value = {.size = sizeof(struct paths),
				       .list = true,
				       .repeatable = true,
				       .parse = parse_path,
				       .format = format_path,
				       .clear = clear_paths};
