/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the reply of a far side that also measures says beside that it came. A plain value. */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

struct far_report {
	bool present;	     /* false: nothing of all that */
	bool counted;	     /* the far side certainly counts what it answers: */
	uint32_t count;	     /* the number of this answer, from 0 */
	bool timed;	     /* it has the far side's times: */
	int64_t there, back; /* nanoseconds, with what the clocks differ by */
	uint64_t turnaround; /* which the round trip is without */
	double error;	     /* of the one-way times; NaN: they are none, for want of clocks */
	int hops_there, hops_back; /* -1: not known, as all that follows */
	int dscp, ecn;		   /* as the probe arrived with */
	struct address source;	   /* length 0: not known */
};

extern const struct far_report no_far_report;

/* How many routers a packet passed that began with 64, 128 or 255 and came with TTL. */
static inline int hops_of_fresh(int ttl)
{
	return (ttl > 128 ? 255 : ttl > 64 ? 128 : 64) - ttl;
}
