/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A line of the last minute, as SVG within a page. Owns nothing. */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bounded_text.h"

#define GRAPH_SECONDS 60

/* One value a second, the newest first, at most GRAPH_SECONDS of them. LIMIT 0: there is none. */
void graph_write(struct bounded_text *page, const char *title, uint64_t limit, const double *values,
		 size_t count);
