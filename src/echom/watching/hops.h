/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How many routers packets pass. For the way back one has to know with which TTL replies begin: one
 * of the far side's own, or one less than that of the probe (echod's udp_ttl_guard). So now and
 * then a probe leaves with one less, and the replies to it and to its neighbours are compared. A
 * plain value, of one source port; its packets are numbered from 0.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

enum reply_ttl { REPLY_TTL_UNKNOWN, REPLY_TTL_OWN, REPLY_TTL_LOWERED };

struct hops {
	enum reply_ttl kind;
	int usual;   /* the TTL of the latest reply to a usual probe, */
	int lowered; /* and to one with less since then; 0: none came */
	int there;   /* as of the latest reply; -1: not known */
	int back;
};

void hops_begin(struct hops *hops);

/* Whether packet NUMBER is to leave with a TTL of one less. */
bool hops_lowers(uint64_t number);

/*
 * The reply to packet NUMBER came with TTL, which is -1 if that is not known. FAR_TTL: with which
 * the packet arrived, if it left with SENT_TTL unless it was lowered; 0: the far side does not say.
 */
void hops_enter(struct hops *hops, uint64_t number, int ttl, int far_ttl, int sent_ttl);
