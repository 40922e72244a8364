/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The status page for people: rates, the last minute, counters, listeners, and the settings that
 * are not at their defaults. No script. Formats a plain value, and keeps no state.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bounded_text.h"
#include "echod/config/configuration.h"
#include "echod/counters/totals.h"
#include "echod/sockets/socket_table.h"
#include "echod/status/history.h"

#define STATUS_PAGE_TYPE "text/html; charset=utf-8"

struct status_view {
	const char *host;
	const char *state; /* one or two words, such as "serving" */
	bool well;
	int64_t up_s;
	const struct config *config;
	const struct socket_table *sockets;
	const struct totals *totals;
	const struct history *history;
};

void status_page_write(struct bounded_text *page, const struct status_view *view);
