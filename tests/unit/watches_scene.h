/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* For tests of what echom serves: watches of given settings, whose probes are due much later. */

#pragma once

#include <event2/event.h>

#include "base/events.h"
#include "daemon/settings/settings.h"
#include "echom/watching/watches.h"
#include "unit/said.h"

static struct event_base *base;
static struct watches *watches;

static inline struct watchlist *list_of(const char *settings)
{
	char path[SAID_PATH_MAX];
	int fd = said_file(settings, strlen(settings), path);
	const struct settings_source source = {.path = path, .size_max = 1 << 20};
	struct watchlist *list;

	listen_for(path);
	list = watchlist_load(&source, hear);
	ck_assert_msg(list != NULL, "%s", said.lines);
	close(fd);
	return list;
}

static inline void watch(const char *settings)
{
	struct watchlist *list = list_of(settings);

	ck_assert_int_eq(watches_set(watches, list), 0);
	watchlist_release(list);
}

/* The settings of COUNT targets: t0, t1, ... */
static inline const char *many_targets(size_t count)
{
	static char settings[1 << 20];
	size_t length = (size_t)snprintf(settings, sizeof(settings), "[defaults]\ninterval = 1h\n");

	for (size_t i = 0; i < count; i++)
		length += (size_t)snprintf(settings + length, sizeof(settings) - length,
					   "[target t%zu]\naddress = 127.0.0.1:%zu\n", i, i + 1);
	return settings;
}

static inline void set_up_watches(void)
{
	base = events_new_base(0);
	watches = watches_new(base);
	ck_assert_ptr_nonnull(watches);
}

static inline void tear_down_watches(void)
{
	watches_free(watches);
	event_base_free(base);
}
