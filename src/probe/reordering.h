/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How far replies are out of order (RFC 4737): the extent of one is how many came from the first
 * that overtook it on, which is what a receiver has to hold back to restore the order. Owns
 * nothing; ping has one, and enters the first reply to each probe as it comes.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#define REORDERING_KEPT 256

/* One that came in order, after which the highest sequence was this. */
struct in_order {
	uint64_t arrival;
	uint64_t sequence;
};

struct reordering {
	uint64_t arrivals;
	uint64_t count; /* out of order */
	uint64_t sum;	/* of their extents */
	uint64_t max;
	uint64_t heads;			       /* how many came in order */
	struct in_order kept[REORDERING_KEPT]; /* the latest of them */
};

/* Starts as zeroes. One that came later than all that is kept counts with the least it can be. */
void reordering_enter(struct reordering *reordering, uint64_t sequence);

/* Counts anew from here; what came before may still have overtaken what follows. */
void reordering_restart(struct reordering *reordering);

double reordering_mean(const struct reordering *reordering); /* NaN while there is none */
