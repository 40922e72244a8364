/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See there.h. Owns nothing; mtu.c calls it. */

#include "config.h"

#include "echoc/mtu/there.h"

#include <string.h>

static void note_way_back(struct there *there, const struct outcome *outcome)
{
	if (!outcome->passed)
		return;
	if (outcome->fragment == 0 && outcome->size > there->whole)
		there->whole = outcome->size;
	if (outcome->fragment > there->fragment)
		there->fragment = outcome->fragment;
}

static void enter(struct there *there, const struct outcome *outcome)
{
	note_way_back(there, outcome);
	if (outcome->late > 0)
		search_pass(&there->search, outcome->late);
	if (outcome->passed) {
		search_pass(&there->search, outcome->size);
		return;
	}
	search_fail(&there->search, outcome->size, outcome->too_large, outcome->mtu);
	if (outcome->by[0] != '\0')
		memcpy(there->by, outcome->by, sizeof(there->by));
}

int there_search(struct there *there, struct prober *prober, outcome_report *report, void *context)
{
	struct outcome outcome;
	size_t size = prober_least(prober);

	memset(there, 0, sizeof(*there));
	prober_forbid_fragments(prober);
	if (prober_try(prober, size, &outcome) < 0)
		return -1;
	report(context, &outcome);
	note_way_back(there, &outcome);
	there->answered = outcome.passed;
	memcpy(there->error, outcome.error, sizeof(there->error));
	if (!outcome.passed)
		return 0;
	there->interface = prober_interface(prober);
	search_begin(&there->search, size, there->interface);
	while ((size = search_next(&there->search)) != 0) {
		if (prober_try(prober, size, &outcome) < 0)
			return -1;
		report(context, &outcome);
		enter(there, &outcome);
	}
	return 0;
}

bool there_is_black_hole(const struct there *there)
{
	return there->search.passed < there->search.limit && !search_is_told(&there->search);
}
