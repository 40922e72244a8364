/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See totals.h. Used by control for the log and the service manager. */

#include "config.h"

#include "echod/counters/totals.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t dropped(const struct totals *totals)
{
	uint64_t sum = 0;

	for (int which = UDP_DROPPED_DENIED; which <= UDP_DROPPED_SEND; which++)
		sum += totals->counters[which];
	return sum;
}

void totals_status(const struct totals *totals, char text[static STATUS_TEXT_MAX])
{
	snprintf(text, STATUS_TEXT_MAX,
		 "%" PRIu64 " of %" PRIu64 " TCP clients, %" PRIu64 " accepted, %" PRIu64
		 " bytes echoed; %" PRIu64 " datagrams echoed, %" PRIu64 " dropped",
		 totals->connections, totals->connections_max, totals->counters[TCP_ACCEPTED],
		 totals->counters[TCP_SENT_BYTES], totals->counters[UDP_ECHOED_DATAGRAMS],
		 dropped(totals));
}

/* Appends " NAME=VALUE". Truncates, but the text is large enough for all counters. */
static size_t append(char *text, size_t used, const char *family, const char *value,
		     uint64_t number)
{
	int written =
		snprintf(text + used, TOTALS_TEXT_MAX - used, "%s%s%s%s=%" PRIu64,
			 used > 0 ? " " : "", family, value ? "_" : "", value ? value : "", number);

	if (written < 0 || (size_t)written >= TOTALS_TEXT_MAX - used)
		return used;
	return used + (size_t)written;
}

void totals_line(const struct totals *totals, char text[static TOTALS_TEXT_MAX])
{
	size_t used = append(text, 0, "tcp_connections", NULL, totals->connections);

	used = append(text, used, "tcp_connections_max", NULL, totals->connections_max);
	used = append(text, used, "tcp_headers_pending", NULL,
		      totals->counters[TCP_HEADERS_PENDING]);
	for (int which = 0; which < COUNTER_COUNT; which++)
		used = append(text, used, counter_names[which].family, counter_names[which].value,
			      totals->counters[which]);
	used = append(text, used, "stamp_sessions", NULL, totals->stamp_sessions);
	used = append(text, used, "udp_kernel_drops", NULL, totals->kernel_drops);
	used = append(text, used, "reloads", "success", totals->reloads_done);
	append(text, used, "reloads", "failure", totals->reloads_failed);
}
