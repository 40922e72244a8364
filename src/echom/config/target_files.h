/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The files that targets_file names: which have changed, and the text of each that is in force. A
 * file that is missing, unreadable or wrong changes nothing: what it said before stays. Belongs to
 * the daemon, which asks for changes every few seconds: unlike inotify(7), that also works on file
 * systems of other hosts, for files behind symbolic links, and for those that do not exist yet.
 */

#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "daemon/settings/findings.h"
#include "echom/config/watchlist.h"

struct settings_source;
struct target_files;

/*
 * The list of SOURCE and of all files that it names, which are FILES from now on. A file that was
 * read BEFORE, which may be NULL, and is wrong now, has the targets of then. NULL, and every error
 * was reported; both are to be freed in any case.
 */
struct watchlist *target_files_load(struct target_files **files, const struct target_files *before,
				    const struct settings_source *source,
				    report_finding *report) WARN_UNUSED;
void target_files_free(struct target_files *files); /* accepts NULL */

/* A list instead of that IN_FORCE if a file has changed, and is good; otherwise NULL. */
struct watchlist *target_files_refresh(struct target_files *files, struct watchlist *in_force,
				       report_finding *report) WARN_UNUSED;

/* What was read could not be put in force: it counts as changed. */
void target_files_retry(struct target_files *files);

size_t target_files_count(const struct target_files *files);

/* How many are wrong or unreadable, and how many are missing. */
size_t target_files_bad(const struct target_files *files);
size_t target_files_missing(const struct target_files *files);
