/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The targets of a list in the making: those of its own file, then those of its targets_file, in
 * the order of the files. Owned by who builds the list, which takes them over.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "echom/config/watchlist.h"

#define FILE_TARGETS_MAX 100000 /* of all files */

struct target_place {
	size_t file;
	size_t offset; /* in its text */
};

struct target_set {
	const struct watchlist *configured; /* not owned; the labels of its targets are its own */
	struct watch_settings *targets;
	struct target_place *places; /* of each, in the order of the targets */
	size_t count;
	size_t room;
	struct labels *labels; /* of groups; their targets borrow them */
	size_t label_count;
};

/* -1 without memory. To be cleared in either case. */
int target_set_begin(struct target_set *set, const struct watchlist *configured) WARN_UNUSED;
void target_set_clear(struct target_set *set);

/* One more, with the settings of [defaults]. */
int target_set_add(struct target_set *set, const char *address, struct target_place place,
		   struct reason *reason) WARN_UNUSED;

/* The targets from FIRST on have LABELS, which the set then owns, not those of [defaults]. */
int target_set_label(struct target_set *set, size_t first, struct labels *labels,
		     struct reason *reason) WARN_UNUSED;

/*
 * Whether two targets have one name; EARLIER and LATER are then their places in the set. -1 without
 * memory.
 */
int target_set_find_twins(const struct target_set *set, size_t *earlier, size_t *later) WARN_UNUSED;

/*
 * A list of them, with the other settings of CONFIGURED, which the set began with; the set is then
 * empty. NULL without memory.
 */
struct watchlist *target_set_finish(struct target_set *set,
				    struct watchlist *configured) WARN_UNUSED;
