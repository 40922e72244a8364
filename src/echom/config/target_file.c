/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See target_file.h. */

#include "config.h"

#include "echom/config/target_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "daemon/settings/config_file.h"

#define TEXT_MAX (16u << 20)
#define LINE_SIZE 1024

/* A file that was written so recently may be written again without another time. */
#define RECENT (2 * NS_PER_S)

static void clear_text(struct file_text *text)
{
	free(text->bytes);
	*text = (struct file_text){0};
}

static int copy_text(struct file_text *to, const struct file_text *from)
{
	if (!from->bytes)
		return 0;
	to->bytes = malloc(from->length + 1);
	if (!to->bytes)
		return -1;
	memcpy(to->bytes, from->bytes, from->length);
	to->length = from->length;
	return 0;
}

int target_file_begin(struct target_file *file, const char *path, const struct target_file *earlier)
{
	*file = (struct target_file){.path = strdup(path)};
	if (!file->path)
		return -1;
	return earlier ? copy_text(&file->in_force, &earlier->in_force) : 0;
}

void target_file_clear(struct target_file *file)
{
	free(file->path);
	clear_text(&file->in_force);
	clear_text(&file->next);
}

static const char *consequence(const struct target_file *file)
{
	if (file->in_force.bytes)
		return "; its earlier targets stay";
	return file->state == FILE_MISSING ? ": no targets until it exists" : "";
}

/* WHY begins with a blank, or with its place in the file. */
static void complain(struct target_file *file, enum file_state state, const char *why,
		     report_finding *report)
{
	bool is_known = file->state == state && strcmp(file->why.text, why) == 0;
	char line[LINE_SIZE];

	file->state = state;
	(void)reason_set(&file->why, "%s", why);
	(void)snprintf(line, sizeof(line), "%s:%s%s", file->path, why, consequence(file));
	if (!is_known)
		report(state == FILE_MISSING ? LEVEL_WARNING : LEVEL_ERROR, line);
}

static void accept_file(struct target_file *file)
{
	file->state = FILE_GOOD;
	file->why.text[0] = '\0';
}

static struct file_mark mark_of(const char *path)
{
	struct stat status;

	if (stat(path, &status) < 0)
		return (struct file_mark){0};
	return (struct file_mark){.device = status.st_dev,
				  .inode = status.st_ino,
				  .size = status.st_size,
				  .modified = timespec_ns(&status.st_mtim),
				  .changed = timespec_ns(&status.st_ctim)};
}

static bool marks_equal(const struct file_mark *a, const struct file_mark *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified == b->modified && a->changed == b->changed;
}

bool target_file_has_changed(const struct target_file *file)
{
	struct file_mark mark = mark_of(file->path);

	return file->again || !marks_equal(&mark, &file->mark);
}

static bool is_in_force(const struct target_file *file, const struct file_text *text)
{
	return file->in_force.bytes && file->in_force.length == text->length &&
	       memcmp(file->in_force.bytes, text->bytes, text->length) == 0;
}

/* TEXT is in memory of the largest size: the copy is not. */
static void take_text(struct target_file *file, const struct file_text *text,
		      report_finding *report)
{
	char line[LINE_SIZE];

	if (!is_in_force(file, text)) {
		file->again |= copy_text(&file->next, text) < 0;
		if (!file->next.bytes)
			complain(file, FILE_BAD, " not enough memory", report);
		return;
	}
	if (file->state != FILE_GOOD) {
		(void)snprintf(line, sizeof(line), "%s: good again, with the same targets",
			       file->path);
		report(LEVEL_NOTICE, line);
	}
	accept_file(file);
}

void target_file_read(struct target_file *file, report_finding *report)
{
	struct file_text text = {0};
	struct reason reason;
	char why[REASON_MAX + 1];

	clear_text(&file->next);
	file->mark = mark_of(file->path);
	file->again = clock_read(CLOCK_REALTIME) - file->mark.changed < RECENT;
	switch (config_file_read(file->path, TEXT_MAX, &text.bytes, &text.length, &reason)) {
	case CONFIG_FILE_READ:
		take_text(file, &text, report);
		break;
	case CONFIG_FILE_MISSING:
		complain(file, FILE_MISSING, " not found", report);
		break;
	case CONFIG_FILE_BAD:
		(void)snprintf(why, sizeof(why), " %s", reason.text);
		complain(file, FILE_BAD, why, report);
		break;
	}
	free(text.bytes);
}

const struct file_text *target_file_text(const struct target_file *file)
{
	return file->next.bytes ? &file->next : &file->in_force;
}

void target_file_refuse(struct target_file *file, const char *why, report_finding *report)
{
	clear_text(file->next.bytes ? &file->next : &file->in_force);
	complain(file, FILE_BAD, why, report);
}

void target_file_settle(struct target_file *file, report_finding *report)
{
	char line[LINE_SIZE];

	clear_text(&file->in_force);
	file->in_force = file->next;
	file->next = (struct file_text){0};
	accept_file(file);
	(void)snprintf(line, sizeof(line), "%s: %zu target%s", file->path, file->count,
		       file->count == 1 ? "" : "s");
	if (report)
		report(LEVEL_NOTICE, line);
}
