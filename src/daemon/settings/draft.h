/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Settings in the making: the values as far as they are known, and the line each came from. Belongs
 * to settings_load for the time of one load; the program's checks get it from there.
 */

#pragma once

#include "base/compiler.h"
#include "daemon/settings/findings.h"
#include "daemon/settings/schema.h"

/* Where a section and each of its settings were given, in the order of the table; 0: nowhere. */
struct section_lines {
	int header;
	int keys[SETTINGS_MAX];
};

struct draft {
	const struct schema *schema;
	void *program;
	struct findings *findings;

	/* NULL, or called after each word that was read. */
	void (*take_word)(struct draft *draft, int line, const struct setting *setting,
			  const void *values);
	const void *context; /* the program's */

	/* By the place of the section in the schema: of the one, or of each with a name. */
	struct section_lines single[SECTIONS_MAX];
	struct section_lines *named[SECTIONS_MAX];
};

/* Sets the defaults of the sections that occur once. */
void draft_begin(struct draft *draft);

/* What sections and keys mean: the text of a file becomes values and findings. */
void draft_read(struct draft *draft, const char *text, size_t length);

/* Folds and checks each section with a name. */
void draft_finish(struct draft *draft);

/* Values stay with the program, findings with their owner. */
void draft_end(struct draft *draft);

struct section_lines *draft_lines(struct draft *draft, const struct section *section, size_t index);

/* Reads TEXT as the value of a setting; whatever is wrong with it becomes a finding. */
void draft_set(struct draft *draft, int line, const struct setting *setting, void *values,
	       const char *text);

/* One more section with a name, nothing set. NULL, with a finding, when there is no memory. */
void *draft_add(struct draft *draft, const struct section *section, int line, const char *name);

/* Gives a section with a name what it does not have itself: the values of its defaults. */
void draft_fold(struct draft *draft, const struct section *section, size_t index);
