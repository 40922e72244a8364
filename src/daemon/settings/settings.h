/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The settings of a program: loaded from its file, dumped as a file, compared at a reload. The
 * values are in a struct of the program's that its schema describes.
 */

#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/compiler.h"
#include "daemon/settings/config_file.h"
#include "daemon/settings/draft.h"
#include "daemon/settings/findings.h"
#include "daemon/settings/schema.h"

struct settings_source {
	const char *path;
	bool must_exist;
	size_t size_max; /* of the file; 0: CONFIG_FILE_MAX */

	/* Each may be NULL: a word of CONTEXT's program was read; the file was, and is checked. */
	void (*take_word)(struct draft *draft, int line, const struct setting *setting,
			  const void *values);
	void (*finish)(struct draft *draft);
	const void *context; /* of the draft */
};

/*
 * Fills in PROGRAM, a struct of zeros: READ from the file, or MISSING and all defaults, or BAD, and
 * every error was reported by then. To be cleared in all three cases.
 */
enum config_file settings_load(const struct schema *schema, void *program,
			       const struct settings_source *source,
			       report_finding *report) WARN_UNUSED;
void settings_clear(const struct schema *schema, void *program);

/* As a file that reads back the same: every section, every key; -1 when it cannot be written. */
int settings_dump(const struct schema *schema, const void *program, FILE *out) WARN_UNUSED;

/* Calls back with the key of each setting that differs and takes effect only at a restart. */
void settings_compare(const struct schema *schema, const void *now, const void *next,
		      void (*needs_restart)(const char *key));
