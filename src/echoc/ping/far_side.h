/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a far side that also measures adds to a ping: losses, delays and hops of each way. Owns the
 * delays; the pinger has one, and settle.c enters each reply.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "echoc/say/json.h"
#include "probe/delay_variation.h"
#include "probe/directional_loss.h"
#include "probe/latency.h"

/* What a reply says beside that it came. */
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

/* A reply as settle.c knows it. */
struct far_reply {
	uint64_t sequence; /* from 0 */
	uint64_t time;	   /* when it came */
	bool duplicate;
	bool in_time; /* and not a duplicate */
};

struct far_side {
	bool present; /* a reply had a report */
	bool counts;  /* it counts what it answers; else its numbers are those of the probes */
	struct directional_loss loss;
	struct delay_variation there, back;
	struct latency there_us, back_us; /* one way, if the clocks allow for it */
	struct latency turnaround;
	double error;		  /* the largest */
	struct far_report latest; /* for hops, marks and the address */
};

void far_side_enter(struct far_side *far, const struct far_reply *reply,
		    const struct far_report *report);
void far_side_clear(struct far_side *far);

/* How many routers a packet passed that began with 64, 128 or 255 and came with TTL. */
static inline int hops_of_fresh(int ttl)
{
	return (ttl > 128 ? 255 : ttl > 64 ? 128 : 64) - ttl;
}

/* The members of a reply, and of the summary, in which LOST probes never came back. */
void far_report_put(const struct far_report *report, struct json *json);
void far_side_put(struct far_side *far, struct json *json, uint64_t lost);

/* The same for people: the end of a line, and lines. Probes are sent with TOS. */
void far_report_print(const struct far_report *report);
void far_side_print(struct far_side *far, uint64_t lost, uint8_t tos);
