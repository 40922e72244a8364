/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sums, as text for a person and as JSON: what ping, bench and send say at the start, at each
 * interval and at the end.
 */

#ifndef ECHOC_SAY_REPORT_H
#define ECHOC_SAY_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "echoc/command/arguments.h"
#include "probe/books.h"
#include "probe/target.h"

/* What a sum is about, beside the books. */
struct report_span {
	double seconds;	 /* how long it was measured */
	double messages; /* bench: that came back in that time, */
	double bytes;	 /* and their payload */
	double elapsed;	 /* since the start of the run, at its end */
	double cpu;	 /* seconds of processor time it took us */
	unsigned threads;
};

/* {"type":"start"}: every parameter in use. RUN is 0 in a send. */
void report_start_json(const struct arguments *arguments, const struct target *target, uint64_t run,
		       const char *own_address);

/* {"type":TYPE}, an interval or the summary of a ping or a bench. */
void report_books_json(const char *type, const struct arguments *arguments,
		       const struct books *books, const struct report_span *span);

/* The end of a ping, or one of its intervals, in ping(8)'s shape. */
void report_ping_text(const struct books *books);

/* How it goes, in one line, as ping(8) says it. */
void report_progress(FILE *out, const struct books *books);

/* The end of a bench: table, histogram, and who was the limit. */
void report_bench_text(const struct arguments *arguments, const struct target *target,
		       const struct books *books, const struct report_span *span);

/* Where to look when much of a fast UDP run was lost; nothing otherwise. */
void report_hint(FILE *out, const struct target *target, const struct books *books, double seconds);

/* True when the client used more than 95 % of the cores that its threads could have. */
bool report_client_was_limit(const struct report_span *span);

#endif
