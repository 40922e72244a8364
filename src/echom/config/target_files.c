/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See target_files.h. */

#include "config.h"

#include "echom/config/target_files.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_reader.h"
#include "echom/config/file_sd.h"
#include "echom/config/target_file.h"

#define NO_MEMORY "not enough memory to read the files of targets"

struct target_files {
	struct target_file *items;
	size_t count;
	bool owed; /* the texts in force are not what is watched */
};

static const struct target_file *find_file(const struct target_files *files, const char *path)
{
	for (size_t i = 0; files && i < files->count; i++) {
		if (strcmp(files->items[i].path, path) == 0)
			return &files->items[i];
	}
	return NULL;
}

/* Those that were read BEFORE begin with the text that was in force. NULL without memory. */
static struct target_files *make_files(const struct watchlist *configured,
				       const struct target_files *before)
{
	const struct paths *paths = &configured->server.targets_file;
	struct target_files *files = calloc(1, sizeof(*files));

	if (!files)
		return NULL;
	files->items = calloc(paths->count + 1, sizeof(*files->items));
	files->count = files->items ? paths->count : 0;
	for (size_t i = 0; i < files->count; i++) {
		const char *path = paths->items[i];

		if (target_file_begin(&files->items[i], path, find_file(before, path)) < 0)
			goto failed;
	}
	if (files->items)
		return files;
failed:
	target_files_free(files);
	return NULL;
}

void target_files_free(struct target_files *files)
{
	if (!files)
		return;
	for (size_t i = 0; i < files->count; i++)
		target_file_clear(&files->items[i]);
	free(files->items);
	free(files);
}

/*
 * With a change to one file, another may turn out to be good, which had a target that now has only
 * one of them.
 */
static void read_changed(struct target_files *files, report_finding *report)
{
	bool changed = false;

	for (size_t i = 0; i < files->count; i++) {
		struct target_file *file = &files->items[i];

		file->again = target_file_has_changed(file);
		changed |= file->again;
	}
	for (size_t i = 0; changed && i < files->count; i++) {
		if (files->items[i].again || files->items[i].state == FILE_BAD)
			target_file_read(&files->items[i], report);
	}
}

static struct json_position position_of(const struct target_files *files,
					const struct target_place *place)
{
	return json_position(target_file_text(&files->items[place->file])->bytes, place->offset);
}

/* Sets WRONG to the file that is, unless memory ran out. */
static int read_texts(struct target_files *files, struct target_set *set, size_t *wrong,
		      struct reason *reason)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct file_text *text = target_file_text(&files->items[i]);
		size_t before = set->count;

		if (!text->bytes)
			continue;
		errno = 0;
		if (file_sd_read(set, i, text->bytes, text->length, reason) < 0) {
			files->items[i].again |= errno == ENOMEM;
			*wrong = i;
			return -1;
		}
		files->items[i].count = set->count - before;
	}
	return 0;
}

/* Of two files that have a target in common, that is wrong which is newer. */
static int check_names(struct target_files *files, const struct target_set *set, size_t *wrong,
		       struct reason *reason)
{
	size_t earlier, later;
	const struct target_place *blamed, *other;
	struct json_position at, also;
	int found = target_set_find_twins(set, &earlier, &later);

	if (found <= 0)
		return found;
	blamed = &set->places[later];
	other = &set->places[earlier];
	if (!files->items[blamed->file].next.bytes && files->items[other->file].next.bytes) {
		blamed = other;
		other = &set->places[later];
	}
	*wrong = blamed->file;
	at = position_of(files, blamed);
	also = position_of(files, other);
	return reason_set(reason, "%zu:%zu: target \"%s\" is also in %s:%zu:%zu", at.line,
			  at.column, watch_name(&set->targets[later]),
			  files->items[other->file].path, also.line, also.column);
}

static int fill(struct target_files *files, struct target_set *set,
		const struct watchlist *configured, size_t *wrong, struct reason *reason)
{
	if (target_set_begin(set, configured) < 0)
		return -1;
	if (read_texts(files, set, wrong, reason) < 0)
		return -1;
	return check_names(files, set, wrong, reason);
}

/* Each turn has a wrong text less. */
static struct watchlist *build(struct target_files *files, struct watchlist *configured,
			       report_finding *report)
{
	struct watchlist *list = NULL;
	size_t wrong;

	do {
		struct target_set set;
		struct reason reason;

		wrong = files->count;
		if (fill(files, &set, configured, &wrong, &reason) == 0)
			list = target_set_finish(&set, configured);
		target_set_clear(&set);
		if (wrong < files->count)
			target_file_refuse(&files->items[wrong], reason.text, report);
	} while (wrong < files->count);
	if (!list)
		report(LEVEL_ERROR, NO_MEMORY);
	return list;
}

static bool has_next(const struct target_files *files)
{
	for (size_t i = 0; i < files->count; i++) {
		if (files->items[i].next.bytes)
			return true;
	}
	return false;
}

static void settle(struct target_files *files, report_finding *report)
{
	for (size_t i = 0; i < files->count; i++) {
		if (files->items[i].next.bytes)
			target_file_settle(&files->items[i], report);
	}
}

static struct watchlist *read_files(struct target_files *files, struct watchlist *configured,
				    report_finding *report)
{
	struct watchlist *list;

	if (files->count == 0)
		return watchlist_hold(configured);
	for (size_t i = 0; i < files->count; i++)
		target_file_read(&files->items[i], report);
	list = build(files, configured, report);
	if (list)
		settle(files, NULL);
	return list;
}

struct watchlist *target_files_load(struct target_files **files, const struct target_files *before,
				    const struct settings_source *source, report_finding *report)
{
	struct watchlist *configured = watchlist_load(source, report), *list = NULL;

	*files = configured ? make_files(configured, before) : NULL;
	if (*files)
		list = read_files(*files, configured, report);
	else if (configured)
		report(LEVEL_ERROR, NO_MEMORY);
	watchlist_release(configured);
	return list;
}

struct watchlist *target_files_refresh(struct target_files *files, struct watchlist *in_force,
				       report_finding *report)
{
	struct watchlist *list;

	read_changed(files, report);
	if (!has_next(files) && !files->owed)
		return NULL;
	list = build(files, watchlist_configured(in_force), report);
	if (list && (has_next(files) || files->owed)) {
		settle(files, report);
		files->owed = false;
		return list;
	}
	watchlist_release(list);
	return NULL;
}

void target_files_retry(struct target_files *files)
{
	files->owed = true;
}

static size_t count_in(const struct target_files *files, enum file_state state)
{
	size_t count = 0;

	for (size_t i = 0; i < files->count; i++)
		count += files->items[i].state == state;
	return count;
}

size_t target_files_count(const struct target_files *files)
{
	return files->count;
}

size_t target_files_bad(const struct target_files *files)
{
	return count_in(files, FILE_BAD);
}

size_t target_files_missing(const struct target_files *files)
{
	return count_in(files, FILE_MISSING);
}
