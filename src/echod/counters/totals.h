/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The counters of all workers, added up at one moment, and their text forms. A plain value.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "echod/counters/counters.h"

struct totals {
	uint64_t counters[COUNTER_SLOTS];
	uint64_t started_ms; /* since the epoch */
	uint64_t workers;
	uint64_t connections;
	uint64_t connections_max;
	uint64_t stamp_sessions;
	uint64_t kernel_drops;
	uint64_t reloads_done;
	uint64_t reloads_failed;
	uint64_t refused_calls;
};

#define STATUS_TEXT_MAX 256
#define TOTALS_TEXT_MAX 1536

/* One short line for `systemctl status`. */
void totals_status(const struct totals *totals, char text[static STATUS_TEXT_MAX]);

/* All counters in one line: "tcp_connections=3 tcp_accepted=17 tcp_rejected_denied=0 ...". */
void totals_line(const struct totals *totals, char text[static TOTALS_TEXT_MAX]);
