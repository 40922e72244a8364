/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The way there, over UDP: the largest packet that passes, and the router that reports larger ones
 * as too large.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "echoc/mtu/datagram.h"
#include "echoc/mtu/search.h"

struct there {
	struct search search;
	size_t interface;		 /* MTU of our own */
	bool answered;			 /* the smallest probe was */
	size_t whole;			 /* the largest reply that came in one piece */
	size_t fragment;		 /* the largest fragment of one that did not; 0: all did */
	char by[ADDRESS_TEXT_MAX];	 /* the router that told; empty: none did */
	char error[ICMP_ERROR_TEXT_MAX]; /* why the smallest probe was not */
};

/* Called with what became of each size. */
typedef void outcome_report(void *context, const struct outcome *outcome);

/* -1 and errno, as prober_try(): what was found by then is in THERE. */
int there_search(struct there *there, struct prober *prober, outcome_report *report,
		 void *context) WARN_UNUSED;

/* Larger packets vanish, and nobody says so. */
bool there_is_black_hole(const struct there *there);
