/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See session_tables.h. */

#include "config.h"

#include "echod/guard/session_tables.h"

#include <stdlib.h>
#include <string.h>

#include "echod/guard/sessions.h"

struct session_table {
	char name[NAME_MAX_LENGTH + 1];
	uint64_t mode;
	size_t size;
	struct sessions *sessions; /* NULL if SIZE is 0 */
};

struct session_tables {
	size_t count;
	struct session_table tables[];
};

static size_t size_for(const struct listener_config *listener)
{
	if (listener->mode == MODE_ECHO)
		return 0;
	if (listener->mode == MODE_ECHOPLUS && listener->stamp_sessions == 0)
		return SESSIONS_WHERE_NEEDED;
	return (size_t)listener->stamp_sessions;
}

static const struct session_table *find(const struct session_tables *tables, const char *name)
{
	for (size_t i = 0; tables && i < tables->count; i++) {
		if (strcmp(tables->tables[i].name, name) == 0)
			return &tables->tables[i];
	}
	return NULL;
}

/* Keeps the one of before, or makes another; -1: out of memory. */
static int fill(struct session_table *table, const struct listener_config *listener,
		const struct session_tables *before)
{
	const struct session_table *known = find(before, listener->name);

	memcpy(table->name, listener->name, sizeof(table->name));
	table->mode = listener->mode;
	table->size = size_for(listener);
	if (table->size == 0)
		return 0;
	if (known && known->mode == table->mode && known->size == table->size)
		table->sessions = sessions_hold(known->sessions);
	else
		table->sessions = sessions_new(table->size);
	return table->sessions ? 0 : -1;
}

struct session_tables *session_tables_new(const struct config *config,
					  const struct session_tables *before)
{
	size_t count = config->listener_count + 1; /* sockets with an unknown name have defaults */
	struct session_tables *tables =
		calloc(1, sizeof(*tables) + count * sizeof(struct session_table));

	if (!tables)
		return NULL;
	tables->count = count;
	for (size_t i = 0; i < count; i++) {
		const struct listener_config *listener =
			i < config->listener_count ? &config->listeners[i] : &config->defaults;

		if (fill(&tables->tables[i], listener, before) < 0) {
			session_tables_free(tables);
			return NULL;
		}
	}
	return tables;
}

void session_tables_free(struct session_tables *tables)
{
	if (!tables)
		return;
	for (size_t i = 0; i < tables->count; i++)
		sessions_release(tables->tables[i].sessions);
	free(tables);
}

struct sessions *session_tables_find(const struct session_tables *tables, const char *name)
{
	const struct session_table *table = find(tables, name);

	return table ? table->sessions : NULL;
}

uint64_t session_tables_count(const struct session_tables *tables, int64_t now)
{
	uint64_t count = 0;

	for (size_t i = 0; tables && i < tables->count; i++) {
		if (tables->tables[i].sessions)
			count += sessions_count(tables->tables[i].sessions, now);
	}
	return count;
}
