/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The way back, over UDP: the largest fragment of a reply that is too large for it. Needs a far
 * side that lets its replies be fragmented.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "echoc/mtu/there.h"

struct back {
	bool known;	 /* larger ones came in fragments */
	size_t at_least; /* that came in one piece, or as a fragment */
	size_t at_most;	 /* if it is known: the same, or what could not be told from it */
};

/* After the way there is known. -1 and errno, as prober_try(). */
int back_search(struct back *back, const struct there *there, struct prober *prober,
		outcome_report *report, void *context) WARN_UNUSED;
