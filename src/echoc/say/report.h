/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Results as text and as JSON: what the modes print at the start, at each interval and at the end,
 * as far as it is the same for all.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "echoc/say/json.h"
#include "probe/books.h"
#include "probe/target.h"
#include "probe/tcp_figures.h"

/* What a sum is about, beside the books. */
struct report_span {
	double seconds;	 /* how long it was measured */
	double messages; /* bench: that came back in that time, */
	double bytes;	 /* and their payload */
	double elapsed;	 /* since the start of the run, at its end */
	double cpu;	 /* seconds of processor time it took us */
	unsigned threads;
};

/* {"type":"start"}, to which the mode adds its parameters and the end. RUN is 0 in a send. */
void report_begin_start(struct json *json, const char *mode, const struct target *target,
			uint64_t run, const char *own_address);

/* {"type":TYPE}, an interval or the summary, to which the mode adds its own and the end. */
void report_begin_books(struct json *json, const char *type, const struct books *books,
			double elapsed);

/* "tcp", null where there was no connection; and "connect_us". */
void report_put_tcp(struct json *json, const struct tcp_figures *figures);
void report_put_connect(struct json *json, const struct spread *connect);

/*
 * On standard error, what target_open() says besides that it succeeded: with -v, or if no address
 * of the target answered.
 */
void report_choice(const struct target *target, const struct reason *reason, bool verbose);

/* An object under NAME, in microseconds; null where nothing was measured. */
void report_put_latency(struct json *json, const char *name, const struct latency *latency);

/* "rtt_buckets_ns": the histogram as it was counted, so that those of hosts can be added. */
void report_put_buckets(struct json *json, const struct latency *latency);

/* The end of one that has no rates. */
void report_end_books(struct json *json, const struct books *books);

/* The end of a ping, or one of its intervals, in ping(8)'s format. */
void report_ping_text(const struct books *books);

/* One line; nothing without a connection. */
void report_tcp_text(const struct tcp_figures *figures);

/* A line for each kind of incident that there was. */
void report_incidents(const struct books *books);

/* Progress in one line, as ping(8) prints it. */
void report_progress(FILE *out, const struct books *books);

/* Where to look when much of a fast UDP run was lost; nothing otherwise. */
void report_hint(FILE *out, const struct target *target, const struct books *books, double seconds);

/* The cores that the threads of a bench can keep busy at the same time. */
unsigned report_cores(const struct report_span *span);

/* True when the client used more than 95 % of them. */
bool report_client_was_limit(const struct report_span *span);
