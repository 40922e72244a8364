/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A configuration in the making: the values as far as they are known, and the line each came from.
 * Belongs to config_load for the time of one load.
 */

#ifndef DAEMON_SETTINGS_DRAFT_H
#define DAEMON_SETTINGS_DRAFT_H

#include <stdbool.h>

#include "base/compiler.h"
#include "daemon/settings/findings.h"
#include "echod/config/configuration.h"
#include "echod/config/settings.h"

/* Where a section and each of its settings were given, in the order of the table; 0: nowhere. */
struct section_lines {
	int header;
	int keys[SETTINGS_MAX];
};

struct draft {
	struct config *config;
	struct section_lines server;
	struct section_lines defaults;
	struct section_lines *listeners; /* one for each of config->listeners */
	struct findings *findings;
	bool addresses_unused; /* those of the file: -l or sockets handed over take their place */
};

/* -1, with a finding, when there is no memory for it. */
int draft_begin(struct draft *draft, struct findings *findings) WARN_UNUSED;

/* The configuration is the caller's; the rest of the draft is released. */
struct config *draft_end(struct draft *draft);

/* Reads TEXT as the value of a setting; whatever is wrong with it becomes a finding. */
void draft_set(struct draft *draft, int line, const struct setting *setting, void *section,
	       const char *text);

/* A new one at the end, nothing set. NULL, with a finding, when there is no memory. */
struct listener_config *draft_add_listener(struct draft *draft, int line, const char *name);

/* Whose address, added before this one, collides with it; NULL when it is free. */
const struct listener_config *draft_find_owner(const struct draft *draft,
					       const struct listen_address *address);

void draft_drop_listeners(struct draft *draft);

/* Gives a listener what it did not say itself: the values of [defaults], or the table's. */
void draft_fold(struct draft *draft, size_t index);

/* Findings that need a whole listener. */
void draft_check(struct draft *draft, size_t index);

/* The listeners that will be opened leave the address of the metrics free. */
void draft_check_metrics(struct draft *draft);

#endif
