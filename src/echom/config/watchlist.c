/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See watchlist.h: a load, and what lists and their targets have in common. */

#include "config.h"

#include "echom/config/watchlist.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/settings/settings.h"
#include "echom/config/settings.h"

struct watchlist *watchlist_load(const struct settings_source *source, report_finding *report)
{
	struct watchlist *list = calloc(1, sizeof(*list));

	if (!list) {
		report(LEVEL_ERROR, "not enough memory to read the configuration");
		return NULL;
	}
	list->references = 1;
	if (settings_load(&echom_schema, list, source, report) != CONFIG_FILE_BAD)
		return list;
	watchlist_release(list);
	return NULL;
}

struct watchlist *watchlist_hold(struct watchlist *list)
{
	list->references++;
	return list;
}

void watchlist_release(struct watchlist *list)
{
	if (!list || --list->references > 0)
		return;
	settings_clear(&echom_schema, list);
	free(list);
}

int watchlist_dump(const struct watchlist *list, FILE *out)
{
	return settings_dump(&echom_schema, list, out);
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
	       a->dscp == b->dscp && strcmp(a->source, b->source) == 0;
}
