/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How losses cluster (RFC 3357): runs of consecutive probes without a reply in time, in the order
 * of sending. Owns nothing; ping has one.
 */

#pragma once

#include <stdint.h>

#include "probe/flow.h"

struct loss_runs {
	uint64_t next;	  /* the sequence that is looked at next; 0: the first */
	uint64_t excused; /* lost by ourselves: neither part nor end of a run; 0: none is */
	uint64_t count;
	uint64_t lost;
	uint64_t longest;
	uint64_t current; /* length of the run that goes on, 0: none does */
};

/* Starts as zeroes. Enters what is settled on FLOW before sequence UNTIL, as outages_follow(). */
void loss_runs_follow(struct loss_runs *runs, const struct flow *flow, uint64_t until);

/* Counts anew from here. A run that goes on counts as another one. */
void loss_runs_restart(struct loss_runs *runs);

double loss_runs_mean(const struct loss_runs *runs); /* NaN while there is none */
