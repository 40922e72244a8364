/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See labels.h. Called through its row in settings.c, and by who writes metrics. */

#include "config.h"

#include "echom/config/labels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define DIGITS "0123456789"
#define NO_MEMORY "not enough memory"

/* Labels of our own metrics, or of histograms. */
static bool is_taken(const char *name)
{
	static const char *const taken[] = {"target", "address", "protocol", "le", "direction"};

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (strcmp(taken[i], name) == 0)
			return true;
	}
	return false;
}

static bool is_label_name(const char *name)
{
	return strspn(name, LETTERS) > 0 && name[strspn(name, LETTERS DIGITS)] == '\0';
}

static int check_name(const struct labels *labels, const char *name, struct reason *reason)
{
	if (!is_label_name(name))
		return reason_set(reason,
				  "\"%s\" is not the name of a label: letters, digits and _, "
				  "not beginning with a digit",
				  name);
	if (strncmp(name, "__", 2) == 0)
		return reason_set(reason, "\"%s\" begins with __, which Prometheus reserves", name);
	if (is_taken(name))
		return reason_set(reason, "\"%s\" is a label of echom's own: choose another name",
				  name);
	for (size_t i = 0; i < labels->count; i++) {
		if (strcmp(labels->items[i].name, name) == 0)
			return reason_set(reason, "label \"%s\" is given twice", name);
	}
	return 0;
}

static int check_label(const struct labels *labels, const char *name, const char *value,
		       struct reason *reason)
{
	if (check_name(labels, name, reason) < 0)
		return -1;
	if (strlen(name) > LABEL_LENGTH_MAX || strlen(value) > LABEL_LENGTH_MAX)
		return reason_set(reason, "a label's name and value have at most %d bytes each",
				  LABEL_LENGTH_MAX);
	if (labels->count == LABELS_MAX)
		return reason_set(reason, "a target has at most %d labels", LABELS_MAX);
	return 0;
}

int labels_add(struct labels *labels, const char *name, const char *value, struct reason *reason)
{
	size_t name_size = strlen(name) + 1, value_size = strlen(value) + 1;
	struct label *items, *label;

	if (check_label(labels, name, value, reason) < 0)
		return -1;
	items = reallocarray(labels->items, labels->count + 1, sizeof(*items));
	if (!items)
		return reason_set(reason, NO_MEMORY);
	labels->items = items;
	label = &items[labels->count];
	label->name = malloc(name_size + value_size);
	if (!label->name)
		return reason_set(reason, NO_MEMORY);
	memcpy(label->name, name, name_size);
	label->value = memcpy(label->name + name_size, value, value_size);
	labels->count++;
	return 0;
}

static int parse_label(const struct setting *setting UNUSED, void *value, const char *text,
		       struct reason *reason)
{
	const char *equals = strchr(text, '=');
	char name[LINE_MAX_LENGTH + 1];

	if (!equals)
		return reason_set(reason, "\"%s\" is not NAME=VALUE", text);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(equals - text), text);
	return labels_add(value, name, equals + 1, reason);
}

static bool format_label(const struct setting *setting UNUSED, const void *value, size_t item,
			 char *text)
{
	const struct labels *labels = value;

	if (item >= labels->count)
		return false;
	(void)snprintf(text, VALUE_TEXT_MAX, "%s=%s", labels->items[item].name,
		       labels->items[item].value);
	return true;
}

/* Without memory for a copy there are fewer: the engine's findings cannot be reached from here. */
static void share_labels(void *to, const void *from)
{
	const struct labels *source = from;
	struct reason ignored;

	for (size_t i = 0; i < source->count; i++) {
		const struct label *label = &source->items[i];

		if (labels_add(to, label->name, label->value, &ignored) < 0)
			return;
	}
}

void labels_clear(struct labels *labels)
{
	for (size_t i = 0; i < labels->count; i++)
		free(labels->items[i].name);
	free(labels->items);
	*labels = (struct labels){0};
}

static void clear_labels(void *value)
{
	labels_clear(value);
}

const struct value_type labels_value = {.size = sizeof(struct labels),
					.list = true,
					.repeatable = true,
					.parse = parse_label,
					.format = format_label,
					.share = share_labels,
					.clear = clear_labels};

void label_value_write(const char *value, struct bounded_text *text)
{
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			bounded_text_add(text, "\\n");
		else if (*value == '\\' || *value == '"')
			bounded_text_add(text, "\\%c", *value);
		else
			bounded_text_add(text, "%c", *value);
	}
}

void labels_write(const struct labels *labels, struct bounded_text *text)
{
	for (size_t i = 0; i < labels->count; i++) {
		bounded_text_add(text, ",%s=\"", labels->items[i].name);
		label_value_write(labels->items[i].value, text);
		bounded_text_add(text, "\"");
	}
}

struct label_text *label_text_new(const char *bytes)
{
	size_t size = strlen(bytes) + 1;
	struct label_text *text = malloc(sizeof(*text) + size);

	if (!text)
		return NULL;
	text->references = 1;
	memcpy(text->bytes, bytes, size);
	return text;
}

struct label_text *label_text_hold(struct label_text *text)
{
	text->references++;
	return text;
}

void label_text_release(struct label_text *text)
{
	if (text && --text->references == 0)
		free(text);
}
