/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * When a path was down: at least so many consecutive probes without a reply in time. Its user
 * enters each probe once its fate is known, in the order in which they were sent; outages_follow()
 * does that for a flow, whose window keeps what was settled out of order. Owns nothing.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/flow.h"

/* All times are those at which probes were sent; 0: none. */
struct outage {
	uint64_t before; /* the last one answered before it */
	uint64_t begin;	 /* the first one lost */
	uint64_t lost_until;
	uint64_t end; /* the first one answered after it */
	uint64_t lost;
	uint64_t own_losses;	     /* beside these: excused */
	uint64_t stopped;	     /* how much of the time until the end we did not look, */
	uint64_t stopped_until_last; /* and until the last one lost */
	uint64_t suspended;	     /* and how long our clock stopped, too */
};

#define OUTAGE_PAUSES 16

/* We sent nothing in it, so that nobody knows whether the path was down. */
struct outage_pause {
	uint64_t before; /* the first sequence sent after it */
	uint64_t stopped;
	uint64_t suspended; /* with the clock */
};

enum outage_event { OUTAGE_UNCHANGED, OUTAGE_BEGAN, OUTAGE_ENDED };

struct outage_sums {
	uint64_t count;
	uint64_t total;
	uint64_t longest;
	uint64_t longest_begin; /* outage_began() */
};

struct outages {
	uint64_t least;	       /* consecutive losses that make an outage */
	uint64_t next;	       /* the sequence that outages_follow() looks at next */
	struct outage current; /* the latest losses in a row, an outage or not */
	uint64_t answered;     /* the latest answered */
	uint64_t first, last;  /* of all that were entered */
	struct outage_sums ended;
	uint64_t excused;			   /* a sequence, see outages_excuse(); 0: none */
	struct outage_pause pauses[OUTAGE_PAUSES]; /* that the probes entered have not reached */
	size_t pause_count;
};

void outages_init(struct outages *outages, uint64_t least);

/* The next probe in the order of sending. After an end, `current` is what ended until the next. */
enum outage_event outages_enter(struct outages *outages, uint64_t sent, bool answered);

/*
 * Enters what is settled on FLOW, up to the next event, before sequence UNTIL, which is at most the
 * next one. What still waits is passed over: nobody will know its fate. Call it again until nothing
 * changes.
 */
enum outage_event outages_follow(struct outages *outages, const struct flow *flow, uint64_t until);

/* SEQUENCE, to be entered next, was lost by ourselves: it says nothing about the path. */
void outages_excuse(struct outages *outages, uint64_t sequence);

/* Before sequence BEFORE, not entered yet, we were stopped, or suspended: no part of an outage. */
void outages_pause(struct outages *outages, const struct outage_pause *pause);

/* There is one that has not ended. */
bool outages_is_down(const struct outages *outages);

/*
 * When it began, by our clock as it would be had it not stopped in a suspension since then: what
 * the wall clock is to be taken from. May wrap, as a difference of times does.
 */
uint64_t outage_began(const struct outage *outage);

/*
 * How long it lasted, or has lasted, without our pauses: as it is measured, at least, and at most
 * (0: not known), with them.
 */
uint64_t outage_duration(const struct outage *outage);
uint64_t outage_shortest(const struct outage *outage);
uint64_t outage_longest(const struct outage *outage);

/* All until now; one that has not ended lasts to the last probe entered. */
struct outage_sums outages_sum(const struct outages *outages);

/* How much of the time from the first to the last probe there was none; NaN before the second. */
double outages_up_percent(const struct outages *outages);
