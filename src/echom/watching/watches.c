/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See watches.h. */

#include "config.h"

#include "echom/watching/watches.h"

#include <stdlib.h>
#include <string.h>

#include "echom/watching/names.h"

#define BUFFER_SIZE (128u << 10)

/* Steps of this part of an interval never lead close to an earlier one, however many there are. */
#define GOLDEN_RATIO 0.61803398874989484820

struct watches *watches_new(struct event_base *base)
{
	struct watches *watches = calloc(1, sizeof(*watches));

	if (!watches)
		return NULL;
	watches->shared.base = base;
	watches->shared.buffer = malloc(BUFFER_SIZE);
	watches->shared.buffer_size = BUFFER_SIZE;
	watches->shared.names = names_new(base, NAMES_THREADS);
	if (watches->shared.buffer && watches->shared.names)
		return watches;
	watches_free(watches);
	return NULL;
}

static void free_items(struct watch **items, size_t count)
{
	for (size_t i = 0; i < count; i++)
		watch_free(items[i]);
	free(items);
}

void watches_free(struct watches *watches)
{
	if (!watches)
		return;
	free_items(watches->items, watches->count);
	names_free(watches->shared.names);
	free(watches->shared.buffer);
	free(watches);
}

static int compare_names(const void *a, const void *b)
{
	const struct watch *const *first = a;
	const struct watch *const *second = b;

	return strcmp(watch_name((*first)->settings), watch_name((*second)->settings));
}

static int compare_name(const void *key, const void *item)
{
	const struct watch *const *watch = item;

	return strcmp(key, watch_name((*watch)->settings));
}

/* The place in SORTED of the watch that goes on with these settings; NULL: there is none. */
static struct watch **find_kept(struct watch **sorted, size_t count,
				const struct watch_settings *settings)
{
	struct watch **found = count > 0 ? bsearch(watch_name(settings), sorted, count,
						   sizeof(struct watch *), compare_name)
					 : NULL;

	return found && watch_settings_equal((*found)->settings, settings) ? found : NULL;
}

/* Makes those that are new; the place of each that is kept stays empty. -1 without memory. */
static int make_new(struct watches *watches, struct watch **sorted, struct watchlist *list,
		    struct watch **items)
{
	double fraction = 0;

	for (size_t i = 0; i < list->count; i++) {
		fraction += GOLDEN_RATIO;
		fraction -= (double)(int)fraction;
		if (find_kept(sorted, watches->count, &list->targets[i]))
			continue;
		items[i] = watch_new(&watches->shared, list, i, fraction);
		if (!items[i])
			return -1;
	}
	return 0;
}

/* Fills the empty places with those that are kept, and frees the others. */
static void change_over(struct watches *watches, struct watch **sorted, struct watchlist *list,
			struct watch **items)
{
	for (size_t i = 0; i < list->count; i++) {
		struct watch **kept = find_kept(sorted, watches->count, &list->targets[i]);

		if (!kept)
			continue;
		items[i] = *kept;
		watch_adopt(*kept, list, i);
	}
	for (size_t i = 0; i < watches->count; i++) {
		if (sorted[i]->list != list)
			watch_free(sorted[i]);
	}
}

static uint64_t rate_of(const struct watchlist *list)
{
	double rate = 0;

	for (size_t i = 0; i < list->count; i++)
		rate += 1000.0 / (double)list->targets[i].interval;
	return (uint64_t)rate;
}

int watches_set(struct watches *watches, struct watchlist *list)
{
	struct watch **items = calloc(list->count > 0 ? list->count : 1, sizeof(struct watch *));

	if (!items)
		return -1;
	if (watches->count > 0)
		qsort(watches->items, watches->count, sizeof(struct watch *), compare_names);
	watches->generation++; /* their order has changed in any case */
	if (make_new(watches, watches->items, list, items) < 0) {
		free_items(items, list->count);
		return -1;
	}
	change_over(watches, watches->items, list, items);
	free(watches->items);
	watches->items = items;
	watches->count = list->count;
	watches->rate = rate_of(list);
	return 0;
}

size_t watches_down(const struct watches *watches)
{
	size_t down = 0;

	for (size_t i = 0; i < watches->count; i++)
		down += watch_is_down(watches->items[i]);
	return down;
}
