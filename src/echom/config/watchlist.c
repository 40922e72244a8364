/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See watchlist.h: a load, and what lists and their targets have in common. */

#include "config.h"

#include "echom/config/watchlist.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/settings/settings.h"
#include "echom/config/settings.h"

/* In [defaults] it is for the other targets. */
static void check_flows(struct draft *draft, size_t index)
{
	const struct watchlist *list = draft->program;
	const struct section *section = &echom_schema.sections[WATCH_TARGET_SECTION];
	struct watch_settings *target = &list->targets[index];
	ptrdiff_t at = schema_find(&echom_schema, "flows") - echom_schema.settings;
	int line = draft_lines(draft, section, index)->keys[at];

	if (target->protocol != WATCH_TCP || target->flows == 1)
		return;
	target->flows = 1;
	if (line != 0)
		findings_error(draft->findings, line,
			       "flows: [target %s] uses TCP, with one connection: remove flows, or "
			       "choose udp or stamp",
			       watch_name(target));
}

/* What a target is depends on all of its settings. */
static void finish(struct draft *draft)
{
	const struct watchlist *list = draft->program;

	for (size_t i = 0; i < list->count; i++) {
		struct watch_settings *target = &list->targets[i];

		watch_address_complete(target->address, (enum watch_protocol)target->protocol);
		check_flows(draft, i);
	}
}

struct watchlist *watchlist_load(const struct settings_source *source, report_finding *report)
{
	struct watchlist *list = calloc(1, sizeof(*list));
	struct settings_source whole = *source;

	whole.finish = finish;
	if (!list) {
		report(LEVEL_ERROR, "not enough memory to read the configuration");
		return NULL;
	}
	list->references = 1;
	if (settings_load(&echom_schema, list, &whole, report) != CONFIG_FILE_BAD)
		return list;
	watchlist_release(list);
	return NULL;
}

struct watchlist *watchlist_hold(struct watchlist *list)
{
	list->references++;
	return list;
}

static void free_extended(struct watchlist *list)
{
	for (size_t i = 0; i < list->label_count; i++)
		labels_clear(&list->labels[i]);
	free(list->labels);
	free(list->targets);
	watchlist_release(list->configured);
}

void watchlist_release(struct watchlist *list)
{
	if (!list || --list->references > 0)
		return;
	if (list->configured)
		free_extended(list);
	else
		settings_clear(&echom_schema, list);
	free(list);
}

struct watchlist *watchlist_configured(struct watchlist *list)
{
	return list->configured ? list->configured : list;
}

/* A line for each label, because the lines of a file are short. */
static void dump_target(const struct watch_settings *target, FILE *out)
{
	char bytes[LINE_MAX_LENGTH + 1];
	struct bounded_text text;

	fprintf(out, "#%.*s\n", LINE_MAX_LENGTH - 1, watch_name(target));
	for (size_t i = 0; i < target->labels.count; i++) {
		const struct labels one = {&target->labels.items[i], 1};

		bounded_text_begin(&text, bytes, sizeof(bytes));
		labels_write(&one, &text);
		fprintf(out, "#  %.*s\n", LINE_MAX_LENGTH - 3, bytes + 1);
	}
}

int watchlist_dump(const struct watchlist *list, FILE *out)
{
	const struct watchlist *configured = list->configured ? list->configured : list;
	int result = settings_dump(&echom_schema, configured, out);

	if (list->configured)
		fputs("\n# Targets of targets_file, with the settings of [defaults]:\n", out);
	for (size_t i = configured->count; i < list->count; i++)
		dump_target(&list->targets[i], out);
	return result < 0 || fflush(out) != 0 || ferror(out) ? -1 : 0;
}

void watchlist_compare(const struct watchlist *now, const struct watchlist *next,
		       void (*needs_restart)(const char *key))
{
	settings_compare(&echom_schema, now, next, needs_restart);
}

bool watch_settings_equal(const struct watch_settings *a, const struct watch_settings *b)
{
	return strcmp(a->address, b->address) == 0 && a->protocol == b->protocol &&
	       a->interval == b->interval && a->timeout == b->timeout && a->size == b->size &&
	       a->dscp == b->dscp && a->flows == b->flows && strcmp(a->source, b->source) == 0;
}
