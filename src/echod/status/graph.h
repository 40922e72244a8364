/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A line of the last minute, as SVG within the status page. Owns nothing. */

#ifndef ECHOD_STATUS_GRAPH_H
#define ECHOD_STATUS_GRAPH_H

#include <stddef.h>
#include <stdint.h>

#include "base/bounded_text.h"
#include "echod/status/history.h"

/* What is drawn: the value so many seconds ago, or a negative number when it is not known. */
typedef double graph_value(const struct history *history, size_t age);

/* LIMIT 0: there is none to tell. */
void status_graph_write(struct bounded_text *page, const char *title, uint64_t limit,
			const struct history *history, graph_value *value);

#endif
