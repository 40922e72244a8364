/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* All counters as the tables of the status page. Owns nothing. */

#pragma once

#include <stddef.h>

#include "base/bounded_text.h"
#include "echod/counters/totals.h"
#include "echod/status/history.h"

/* Where a counter is in struct totals. */
size_t counter_offset(enum counter counter);

void counter_tables_write(struct bounded_text *page, const struct totals *totals,
			  const struct history *history);
