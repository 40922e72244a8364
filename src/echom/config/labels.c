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

/* Labels of our own metrics, or of histograms. */
static bool is_taken(const char *name, size_t length)
{
	static const char *const taken[] = {"target", "address", "protocol", "le", "direction"};

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++) {
		if (strlen(taken[i]) == length && memcmp(taken[i], name, length) == 0)
			return true;
	}
	return false;
}

static bool is_label_name(const char *name, size_t length)
{
	return length > 0 && strspn(name, LETTERS) > 0 && strspn(name, LETTERS DIGITS) >= length;
}

/* NAME is the first LENGTH bytes of TEXT. */
static int check_name(const struct labels *labels, const char *text, size_t length,
		      struct reason *reason)
{
	int shown = (int)length;

	if (!is_label_name(text, length))
		return reason_set(reason,
				  "\"%.*s\" is not the name of a label: letters, digits and _, "
				  "not beginning with a digit",
				  shown, text);
	if (length >= 2 && memcmp(text, "__", 2) == 0)
		return reason_set(reason, "\"%.*s\" begins with __, which Prometheus reserves",
				  shown, text);
	if (is_taken(text, length))
		return reason_set(reason, "\"%.*s\" is a label of echom's own: choose another name",
				  shown, text);
	for (size_t i = 0; i < labels->count; i++) {
		if (strlen(labels->items[i].name) == length &&
		    memcmp(labels->items[i].name, text, length) == 0)
			return reason_set(reason, "label \"%.*s\" is given twice", shown, text);
	}
	return 0;
}

/* TEXT is NAME=VALUE, the name of LENGTH. */
static int add_label(struct labels *labels, const char *text, size_t length, struct reason *reason)
{
	struct label *items = reallocarray(labels->items, labels->count + 1, sizeof(*items));
	struct label *label;

	if (!items)
		return reason_set(reason, "not enough memory");
	labels->items = items;
	label = &items[labels->count];
	label->name = strdup(text);
	if (!label->name)
		return reason_set(reason, "not enough memory");
	label->name[length] = '\0';
	label->value = label->name + length + 1;
	labels->count++;
	return 0;
}

static int parse_label(const struct setting *setting UNUSED, void *value, const char *text,
		       struct reason *reason)
{
	struct labels *labels = value;
	size_t length = strcspn(text, "=");

	if (text[length] == '\0')
		return reason_set(reason, "\"%s\" is not NAME=VALUE", text);
	if (check_name(labels, text, length, reason) < 0)
		return -1;
	if (length > LABEL_LENGTH_MAX || strlen(text + length + 1) > LABEL_LENGTH_MAX)
		return reason_set(reason, "a label's name and value have at most %d bytes each",
				  LABEL_LENGTH_MAX);
	if (labels->count == LABELS_MAX)
		return reason_set(reason, "a target has at most %d labels", LABELS_MAX);
	return add_label(labels, text, length, reason);
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
	struct labels *labels = to;
	struct reason ignored;
	char text[VALUE_TEXT_MAX];

	for (size_t i = 0; format_label(NULL, source, i, text); i++) {
		if (add_label(labels, text, strlen(source->items[i].name), &ignored) < 0)
			return;
	}
}

static void clear_labels(void *value)
{
	struct labels *labels = value;

	for (size_t i = 0; i < labels->count; i++)
		free(labels->items[i].name);
	free(labels->items);
	*labels = (struct labels){0};
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
