/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See file_sd.h. The form of the file is here, JSON in base/json_reader.c. */

#include "config.h"

#include "echom/config/file_sd.h"

#include <string.h>

#include "base/json_reader.h"
#include "base/utf8.h"

#define KEY_MAX 512 /* of Prometheus' own labels, too, which are dropped */

struct group {
	struct json_reader *reader;
	struct target_set *set;
	size_t file;
	size_t first; /* of its targets */
	bool has_targets;
	bool has_labels;
	struct labels labels;
};

/* What would forge a line of a log, or steer a terminal. */
static int check_printable(struct json_reader *reader, const char *text)
{
	size_t length;

	for (; *text != '\0'; text += length) {
		length = utf8_printable(text);
		if (length == 0)
			return json_reader_fail(reader,
						"a control character: only text is allowed");
	}
	return 0;
}

static int read_text(struct json_reader *reader, const char *what, char *text, size_t size)
{
	if (json_reader_string(reader, what, text, size) < 0)
		return -1;
	return check_printable(reader, text);
}

static int read_target(struct group *group)
{
	struct json_reader *reader = group->reader;
	char address[WATCH_ADDRESS_MAX];
	struct reason why;

	if (read_text(reader, "a target, \"HOST:PORT\"", address, sizeof(address)) < 0)
		return -1;
	if (target_set_add(group->set, address, (struct target_place){group->file, reader->place},
			   &why) < 0)
		return json_reader_fail(reader, "%s", why.text);
	return 0;
}

static int read_targets(struct group *group)
{
	int more;

	if (json_reader_null(group->reader))
		return 0;
	if (json_reader_enter(group->reader, '[', "\"[\", the list of targets") < 0)
		return -1;
	while ((more = json_reader_next(group->reader, ']')) > 0) {
		if (read_target(group) < 0)
			return -1;
	}
	return more;
}

static int read_label(struct group *group)
{
	struct json_reader *reader = group->reader;
	char name[KEY_MAX], value[LABEL_LENGTH_MAX + 1];
	struct reason why;

	if (json_reader_key(reader, name, sizeof(name)) < 0 || check_printable(reader, name) < 0)
		return -1;
	if (strncmp(name, "__", 2) == 0)
		return json_reader_string(reader, "a string, the value of the label", NULL, 0);
	if (read_text(reader, "a string, the value of the label", value, sizeof(value)) < 0)
		return -1;
	if (labels_add(&group->labels, name, value, &why) < 0)
		return json_reader_fail(reader, "%s", why.text);
	return 0;
}

static int read_labels(struct group *group)
{
	int more;

	if (json_reader_null(group->reader))
		return 0;
	if (json_reader_enter(group->reader, '{', "\"{\", the labels") < 0)
		return -1;
	while ((more = json_reader_next(group->reader, '}')) > 0) {
		if (read_label(group) < 0)
			return -1;
	}
	return more;
}

static int read_member(struct group *group)
{
	struct json_reader *reader = group->reader;
	char key[KEY_MAX];
	bool is_targets, *has;

	if (json_reader_key(reader, key, sizeof(key)) < 0 || check_printable(reader, key) < 0)
		return -1;
	is_targets = strcmp(key, "targets") == 0;
	if (!is_targets && strcmp(key, "labels") != 0)
		return json_reader_fail(reader,
					"unknown key \"%s\": allowed are targets and labels", key);
	has = is_targets ? &group->has_targets : &group->has_labels;
	if (*has)
		return json_reader_fail(reader, "\"%s\" is given twice", key);
	*has = true;
	return is_targets ? read_targets(group) : read_labels(group);
}

static int read_members(struct group *group)
{
	int more;

	if (json_reader_enter(group->reader, '{', "\"{\", a group of targets") < 0)
		return -1;
	while ((more = json_reader_next(group->reader, '}')) > 0) {
		if (read_member(group) < 0)
			return -1;
	}
	return more;
}

/* Labels may come before or after the targets. */
static int read_group(struct json_reader *reader, struct target_set *set, size_t file)
{
	struct group group = {.reader = reader, .set = set, .file = file, .first = set->count};
	struct reason why;
	int result = read_members(&group);

	if (result == 0 && group.labels.count > 0 && set->count > group.first &&
	    target_set_label(set, group.first, &group.labels, &why) < 0)
		result = json_reader_fail(reader, "%s", why.text);
	labels_clear(&group.labels);
	return result;
}

int file_sd_read(struct target_set *set, size_t file, const char *text, size_t length,
		 struct reason *reason)
{
	struct json_reader reader;
	int more;

	json_reader_begin(&reader, text, length, reason);
	if (json_reader_enter(&reader, '[', "\"[\", the list of groups") < 0)
		return -1;
	while ((more = json_reader_next(&reader, ']')) > 0) {
		if (read_group(&reader, set, file) < 0)
			return -1;
	}
	return more < 0 ? -1 : json_reader_end(&reader);
}
