/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See totals.h. Used by control for the log and the service manager. */

#include "config.h"

#include "echod/counters/totals.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t dropped(const struct figures *figures)
{
	uint64_t sum = 0;

	for (int which = UDP_DROPPED_DENIED; which <= UDP_DROPPED_SEND; which++)
		sum += figures->counters[which];
	return sum;
}

void figures_status(const struct figures *figures, char text[static STATUS_TEXT_MAX])
{
	snprintf(text, STATUS_TEXT_MAX,
		 "%" PRIu64 " of %" PRIu64 " TCP clients, %" PRIu64 " accepted, %" PRIu64
		 " bytes echoed; %" PRIu64 " datagrams echoed, %" PRIu64 " dropped",
		 figures->connections, figures->connections_max, figures->counters[TCP_ACCEPTED],
		 figures->counters[TCP_SENT_BYTES], figures->counters[UDP_ECHOED_DATAGRAMS],
		 dropped(figures));
}

/* Appends " NAME=VALUE"; what no longer fits is left out, which the size of the text rules out. */
static size_t append(char *text, size_t used, const char *family, const char *value,
		     uint64_t number)
{
	int written =
		snprintf(text + used, FIGURES_TEXT_MAX - used, "%s%s%s%s=%" PRIu64,
			 used > 0 ? " " : "", family, value ? "_" : "", value ? value : "", number);

	if (written < 0 || (size_t)written >= FIGURES_TEXT_MAX - used)
		return used;
	return used + (size_t)written;
}

void figures_line(const struct figures *figures, char text[static FIGURES_TEXT_MAX])
{
	size_t used = append(text, 0, "tcp_connections", NULL, figures->connections);

	used = append(text, used, "tcp_connections_max", NULL, figures->connections_max);
	for (int which = 0; which < COUNTER_COUNT; which++)
		used = append(text, used, counter_names[which].family, counter_names[which].value,
			      figures->counters[which]);
	used = append(text, used, "udp_kernel_drops", NULL, figures->kernel_drops);
	used = append(text, used, "reloads", "success", figures->reloads_done);
	append(text, used, "reloads", "failure", figures->reloads_failed);
}
