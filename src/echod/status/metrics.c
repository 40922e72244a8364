/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See metrics.h. Names and labels are an interface: users' graphs and alerts depend on them. */

#include "config.h"

#include "echod/status/metrics.h"

#include <inttypes.h>

static void add_family(struct bounded_text *text, const char *name, const char *type,
		       const char *help)
{
	bounded_text_add(text, "# HELP echod_%s %s\n# TYPE echod_%s %s\n", name, help, name, type);
}

static void add_single(struct bounded_text *text, const char *name, const char *type,
		       const char *help, uint64_t value)
{
	add_family(text, name, type, help);
	bounded_text_add(text, "echod_%s %" PRIu64 "\n", name, value);
}

static void add_process(struct bounded_text *text, const struct totals *totals)
{
	add_family(text, "build_info", "gauge", "What is running; always 1.");
	bounded_text_add(text, "echod_build_info{version=\"%s\"} 1\n", PACKAGE_VERSION);
	add_family(text, "start_time_seconds", "gauge",
		   "When echod was started, in seconds since the epoch.");
	bounded_text_add(text, "echod_start_time_seconds %" PRIu64 ".%03u\n",
			 totals->started_ms / 1000, (unsigned)(totals->started_ms % 1000));
	add_single(text, "workers", "gauge", "Event-loop threads.", totals->workers);
}

static void add_counter(struct bounded_text *text, const struct counter_name *name, uint64_t value)
{
	if (name->help)
		bounded_text_add(text,
				 "# HELP echod_%s_total %s\n"
				 "# TYPE echod_%s_total counter\n",
				 name->family, name->help, name->family);
	if (name->label)
		bounded_text_add(text, "echod_%s_total{%s=\"%s\"} %" PRIu64 "\n", name->family,
				 name->label, name->value, value);
	else
		bounded_text_add(text, "echod_%s_total %" PRIu64 "\n", name->family, value);
}

static void add_reloads(struct bounded_text *text, const struct totals *totals)
{
	add_family(text, "reloads_total", "counter", "Reloads of the configuration, by result.");
	bounded_text_add(text, "echod_reloads_total{result=\"success\"} %" PRIu64 "\n",
			 totals->reloads_done);
	bounded_text_add(text, "echod_reloads_total{result=\"failure\"} %" PRIu64 "\n",
			 totals->reloads_failed);
}

void metrics_write(const struct totals *totals, struct bounded_text *text)
{
	add_process(text, totals);
	add_single(text, "tcp_connections", "gauge", "TCP connections open now.",
		   totals->connections);
	add_single(text, "tcp_connections_max", "gauge", "The limit on TCP connections in force.",
		   totals->connections_max);
	add_single(text, "tcp_headers_pending", "gauge",
		   "TCP connections open now whose PROXY header is not complete.",
		   totals->counters[TCP_HEADERS_PENDING]);
	add_single(text, "stamp_sessions", "gauge",
		   "Sessions of listeners with mode = stamp or echoplus that are in use.",
		   totals->stamp_sessions);
	for (int which = 0; which < COUNTER_COUNT; which++)
		add_counter(text, &counter_names[which], totals->counters[which]);
	add_single(text, "udp_kernel_drops_total", "counter",
		   "Datagrams the kernel dropped: a receive buffer was full, or a checksum wrong.",
		   totals->kernel_drops);
	add_reloads(text, totals);
	add_single(text, "refused_system_calls_total", "counter",
		   "System calls of echod that its sandbox refused.", totals->refused_calls);
}
