/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See hops.h. Filled by settle.c, with what a reflector says where there is one. */

#include "config.h"

#include "echom/watching/hops.h"

#include "probe/far_report.h"

/* The first few may be lost; the far side may be another one later. */
#define BETWEEN_FIRST 16u
#define FIRST 64u
#define BETWEEN_LATER 4096u

void hops_begin(struct hops *hops)
{
	*hops = (struct hops){.there = -1, .back = -1};
}

bool hops_lowers(uint64_t number)
{
	return number % (number < FIRST ? BETWEEN_FIRST : BETWEEN_LATER) == 1;
}

/* Only if the replies to its neighbours are alike does the one between them tell anything. */
static void compare(struct hops *hops, int ttl)
{
	if (hops->lowered > 0 && ttl == hops->usual) {
		if (ttl == hops->lowered)
			hops->kind = REPLY_TTL_OWN;
		else if (ttl == hops->lowered + 1)
			hops->kind = REPLY_TTL_LOWERED;
	}
	hops->usual = ttl;
	hops->lowered = 0;
}

static int back_of(const struct hops *hops, int ttl, int far_ttl)
{
	if (hops->kind == REPLY_TTL_OWN)
		return hops_of_fresh(ttl);
	if (hops->kind == REPLY_TTL_LOWERED && far_ttl > ttl)
		return far_ttl - 1 - ttl;
	return -1;
}

void hops_enter(struct hops *hops, uint64_t number, int ttl, int far_ttl, int sent_ttl)
{
	int sent = sent_ttl - hops_lowers(number);

	hops->there = far_ttl > 0 && far_ttl <= sent ? sent - far_ttl : -1;
	if (ttl <= 0)
		return;
	if (hops_lowers(number))
		hops->lowered = ttl;
	else
		compare(hops, ttl);
	hops->back = back_of(hops, ttl, far_ttl);
}
