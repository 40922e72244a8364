/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The daemon as a whole: created, run until a signal ends it, freed. Called once, by main. */

#pragma once

#include "daemon/program.h"

struct settings_source;
struct target_files;
struct watchlist;

/*
 * Watches what LIST names; SOURCE is read again at a reload, and FILES, which are taken over, when
 * they change. VERBOSE: number of -v.
 */
enum exit_status echom_run(const struct settings_source *source, unsigned verbose,
			   struct watchlist *list, struct target_files *files);
