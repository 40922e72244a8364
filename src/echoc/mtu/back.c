/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A probe that is too large for any path is sent in fragments, and so is its reply. The largest
 * fragment that arrives is as large as the way back allows, except that fragments end at multiples
 * of eight bytes; the few sizes above it are tried in one piece. Owns nothing; mtu.c calls it.
 */

#include "config.h"

#include "echoc/mtu/back.h"

#define EXCESS 512 /* over what our interface takes */
#define UNIT 8

/* Between a size that came as a fragment and one that cannot, by the unit of fragments. */
static int refine(struct back *back, struct prober *prober, size_t most, outcome_report *report,
		  void *context)
{
	struct outcome outcome;

	back->known = true;
	back->at_most = back->at_least + UNIT - 1;
	if (back->at_most > most)
		back->at_most = most > back->at_least ? most : back->at_least;
	while (back->at_least < back->at_most) {
		size_t size = back->at_most - (back->at_most - back->at_least) / 2;

		if (prober_try(prober, size, &outcome) < 0)
			return -1;
		report(context, &outcome);
		if (!outcome.passed) /* in one piece it does not even get there */
			return 0;
		if (outcome.fragment > 0)
			back->at_most = size - 1;
		else
			back->at_least = size;
	}
	return 0;
}

int back_search(struct back *back, const struct there *there, struct prober *prober,
		outcome_report *report, void *context)
{
	size_t size = there->interface + EXCESS;
	struct outcome outcome;

	*back = (struct back){.at_least = there->whole};
	if (size > prober_most(prober))
		size = prober_most(prober);
	prober_allow_fragments(prober, there->search.passed);
	if (prober_try(prober, size, &outcome) < 0)
		return -1;
	report(context, &outcome);
	if (outcome.passed && outcome.fragment == 0)
		back->at_least = size;
	if (!outcome.passed)
		outcome.fragment = there->fragment; /* fragments of ours may be lost there */
	if (outcome.fragment == 0)
		return 0;
	if (outcome.fragment > back->at_least)
		back->at_least = outcome.fragment;
	return refine(back, prober, there->interface, report, context);
}
