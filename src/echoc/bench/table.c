/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The summary of a bench in columns. Owns nothing; report.c calls it.
 */

#include "config.h"

#include "echoc/bench/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "echoc/say/terminal.h"

#define HISTOGRAM_ROWS 14
#define WIDE_ROW 44	/* columns that a row with a remark takes */
#define WIDE_LATENCY 72 /* and round trips side by side */

static void print_row(const char *name, uint64_t value)
{
	char text[NUMBER_TEXT_MAX];

	printf("  %-14s %16s\n", name, number_text(value, text));
}

static void print_rates(const struct report_span *span)
{
	if (span->seconds <= 0)
		return;
	print_row("messages/s", (uint64_t)(span->messages / span->seconds));
	printf("  %-14s %16.2f%s\n", "MB/s", span->bytes / span->seconds / 1e6,
	       terminal_columns(stdout) > WIDE_ROW ? "   each way" : "");
}

static void print_table(const struct books *books)
{
	print_row("sent", books->sent);
	print_row("received", books->received);
	print_row("lost", books->lost);
	if (books->lost > 0)
		printf("  %-14s %15.3f%%\n", "loss", books_loss_percent(books));
	print_row("duplicated", books->duplicates);
	print_row("late", books->late);
	print_row("out of order", books->out_of_order);
	print_row("corrupt", books->corrupt);
	print_row("truncated", books->truncated);
	if (books->unsent > 0)
		print_row("due, not sent", books->unsent);
}

struct figure {
	const char *name;
	double ns;
};

static void print_beside(const char *title, const struct figure *figures, unsigned count)
{
	char text[NUMBER_TEXT_MAX];

	printf("\n  %s\n ", title);
	for (unsigned i = 0; i < count; i++)
		printf(" %9s", figures[i].name);
	printf("\n ");
	for (unsigned i = 0; i < count; i++)
		printf(" %9s", duration_text(figures[i].ns, text));
	printf("\n");
}

static void print_below(const char *title, const struct figure *figures, unsigned count)
{
	char text[NUMBER_TEXT_MAX];

	printf("\n  %s\n", title);
	for (unsigned i = 0; i < count; i++)
		printf("  %-14s %16s\n", figures[i].name, duration_text(figures[i].ns, text));
}

/* JITTER is NaN where there is none. */
static void print_latency(const char *title, const struct latency *latency, double jitter)
{
	const struct figure figures[] = {
		{"min", (double)latency->min},
		{"avg", latency_mean(latency)},
		{"p50", latency_percentile(latency, 50)},
		{"p90", latency_percentile(latency, 90)},
		{"p99", latency_percentile(latency, 99)},
		{"p99.9", latency_percentile(latency, 99.9)},
		{"max", (double)latency->max},
		{"deviation", latency_deviation(latency)},
		{"jitter", jitter},
	};
	char text[2][NUMBER_TEXT_MAX];

	if (terminal_columns(stdout) <= WIDE_LATENCY) {
		print_below(title, figures, isfinite(jitter) ? 9 : 8);
		return;
	}
	print_beside(title, figures, 7);
	printf("  deviation %s", duration_text(figures[7].ns, text[0]));
	if (isfinite(jitter))
		printf(", jitter (RFC 3550) %s", duration_text(jitter, text[1]));
	putchar('\n');
}

/* Each row is as much longer than the one above, so that the tail is seen beside the bulk. */
static void print_histogram(const struct latency *latency)
{
	uint64_t counts[HISTOGRAM_ROWS], edges[HISTOGRAM_ROWS + 1], most = 1;
	double low = (double)(latency->min > 0 ? latency->min : 1);
	double step = pow(((double)latency->max + 1) / low, 1.0 / HISTOGRAM_ROWS);
	unsigned columns = terminal_columns(stdout);
	bool unicode = terminal_is_unicode();
	char bar[BAR_TEXT_MAX], edge[NUMBER_TEXT_MAX], count[NUMBER_TEXT_MAX];

	if (step < 1.0 + 1.0 / HISTOGRAM_SUBBUCKETS)
		step = 1.0 + 1.0 / HISTOGRAM_SUBBUCKETS; /* no finer than it was counted */
	for (unsigned i = 0; i <= HISTOGRAM_ROWS; i++)
		edges[i] = i == 0 ? 0 : (uint64_t)(low * pow(step, i));
	edges[HISTOGRAM_ROWS] = UINT64_MAX;
	for (unsigned i = 0; i < HISTOGRAM_ROWS; i++) {
		counts[i] = histogram_between(&latency->histogram, edges[i], edges[i + 1]);
		most = counts[i] > most ? counts[i] : most;
	}
	edges[0] = latency->min;
	columns = columns > 110 ? 80 : columns > 34 ? columns - 30 : 4;
	printf("\n  from\n");
	for (unsigned i = 0; i < HISTOGRAM_ROWS && edges[i] <= latency->max; i++)
		printf("  %9s %15s %s\n", duration_text((double)edges[i], edge),
		       number_text(counts[i], count),
		       terminal_bar((double)counts[i] / (double)most, columns, unicode, false,
				    bar));
}

static void print_client(const struct books *books, const struct report_span *span)
{
	double share = span->seconds > 0 ? 100.0 * span->cpu / span->seconds : 0;
	unsigned cores = report_cores(span);
	char text[NUMBER_TEXT_MAX];

	printf("\n  echoc used %.0f %% of %u core%s", share, cores, cores == 1 ? "" : "s");
	if (books->received > 0)
		printf(", %s per message",
		       duration_text(1e9 * span->cpu / (double)books->received, text));
	printf("%s\n", report_client_was_limit(span) ? ": the client was the limit" : "");
}

void bench_table_print(const struct arguments *arguments, const struct target *target,
		       const struct books *books, const struct latency *connects,
		       const struct report_span *span)
{
	printf("echoc bench: %s over %s, %.1f s\n", target->text, target->protocol, span->seconds);
	printf("%" PRIu64 " bytes, %" PRIu64 " connection%s, ", arguments->size,
	       arguments->connections, arguments->connections == 1 ? "" : "s");
	if (arguments->rate > 0)
		printf("%" PRIu64 " per second", arguments->rate);
	else
		printf("%" PRIu64 " outstanding on each", arguments->depth);
	if (arguments->connect)
		printf(", a connection for each message");
	printf("%s\n\n", arguments->gso ? ", in trains" : "");
	print_rates(span);
	print_table(books);
	if (books->latency.count > 0) {
		print_latency("round trip", &books->latency, books_jitter(books));
		print_histogram(&books->latency);
	}
	if (connects && connects->count > 0)
		print_latency("connect", connects, (double)NAN);
	print_client(books, span);
	report_incidents(books);
	report_hint(stdout, target, books, span->seconds);
}
