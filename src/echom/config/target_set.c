/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See target_set.h. */

#include "config.h"

#include "echom/config/target_set.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 16
#define NO_MEMORY "not enough memory"

static int make_room(struct target_set *set, size_t room)
{
	struct watch_settings *targets = reallocarray(set->targets, room, sizeof(*targets));
	struct target_place *places;

	if (!targets)
		return -1;
	set->targets = targets;
	places = reallocarray(set->places, room, sizeof(*places));
	if (!places)
		return -1;
	set->places = places;
	set->room = room;
	return 0;
}

int target_set_begin(struct target_set *set, const struct watchlist *configured)
{
	*set = (struct target_set){.configured = configured};
	if (make_room(set, configured->count + ROOM_MIN) < 0)
		return -1;
	if (configured->count > 0)
		memcpy(set->targets, configured->targets,
		       configured->count * sizeof(*set->targets));
	set->count = configured->count;
	return 0;
}

void target_set_clear(struct target_set *set)
{
	for (size_t i = 0; i < set->label_count; i++)
		labels_clear(&set->labels[i]);
	free(set->labels);
	free(set->targets);
	free(set->places);
	*set = (struct target_set){0};
}

int target_set_add(struct target_set *set, const char *address, struct target_place place,
		   struct reason *reason)
{
	struct watch_settings target = set->configured->defaults;

	if (watch_address_parse(target.address, address, reason) < 0)
		return -1;
	watch_address_complete(target.address, (enum watch_protocol)target.protocol);
	if (target.protocol == WATCH_TCP)
		target.flows = 1; /* those of [defaults] are for others */
	if (set->count - set->configured->count == FILE_TARGETS_MAX)
		return reason_set(reason, "more than %d targets", FILE_TARGETS_MAX);
	if (set->count == set->room && make_room(set, set->room * 2) < 0)
		return reason_set(reason, NO_MEMORY);
	set->targets[set->count] = target;
	set->places[set->count++] = place;
	return 0;
}

int target_set_label(struct target_set *set, size_t first, struct labels *labels,
		     struct reason *reason)
{
	struct labels *all = reallocarray(set->labels, set->label_count + 1, sizeof(*all));

	if (!all)
		return reason_set(reason, NO_MEMORY);
	set->labels = all;
	all[set->label_count++] = *labels;
	for (size_t i = first; i < set->count; i++)
		set->targets[i].labels = *labels;
	*labels = (struct labels){0};
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	const struct watch_settings *const *first = a;
	const struct watch_settings *const *second = b;
	int order = strcmp(watch_name(*first), watch_name(*second));

	return order != 0 ? order : (*first > *second) - (*first < *second);
}

int target_set_find_twins(const struct target_set *set, size_t *earlier, size_t *later)
{
	const struct watch_settings **sorted =
		reallocarray(NULL, set->count + 1, sizeof(struct watch_settings *));
	bool found = false;

	if (!sorted)
		return -1;
	for (size_t i = 0; i < set->count; i++)
		sorted[i] = &set->targets[i];
	qsort(sorted, set->count, sizeof(struct watch_settings *), compare_names);
	for (size_t i = 1; i < set->count && !found; i++) {
		found = strcmp(watch_name(sorted[i - 1]), watch_name(sorted[i])) == 0;
		*earlier = (size_t)(sorted[i - 1] - set->targets);
		*later = (size_t)(sorted[i] - set->targets);
	}
	free(sorted);
	return found;
}

struct watchlist *target_set_finish(struct target_set *set, struct watchlist *configured)
{
	struct watchlist *list = calloc(1, sizeof(*list));

	if (!list)
		return NULL;
	*list = (struct watchlist){.references = 1,
				   .server = configured->server,
				   .defaults = configured->defaults,
				   .targets = set->targets,
				   .count = set->count,
				   .configured = watchlist_hold(configured),
				   .labels = set->labels,
				   .label_count = set->label_count};
	set->targets = NULL;
	set->labels = NULL;
	set->count = set->label_count = 0;
	return list;
}
