/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A binary search for the largest size that passes. The MTU that a router reports is only a hint:
 * what counts is what passed. Knows nothing of packets.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

struct search {
	size_t limit;	  /* nothing larger can be sent */
	size_t passed;	  /* the largest that did */
	size_t failed;	  /* the smallest that did not; limit + 1: none yet */
	size_t told;	  /* the MTU that a router told last; 0: none did */
	bool failed_told; /* a router reported FAILED */
	bool confirmed;	  /* that the size above PASSED fails, by a second try */
};

/* Of sizes up to LIMIT, of which PASSED is known to pass. */
void search_begin(struct search *search, size_t passed, size_t limit);

/* The size to try next; 0: passed is the result. */
size_t search_next(const struct search *search);

/* The result of a size; also of one that was tried before, whose reply came late. */
void search_pass(struct search *search, size_t size);

/* TOLD: by a router, with an MTU or 0. */
void search_fail(struct search *search, size_t size, bool told, size_t mtu);

/* A router said that the size above the result is too large. */
bool search_is_told(const struct search *search);
