/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The reports in words and columns. Owns nothing.
 */

#include "config.h"

#include "echoc/say/report.h"

#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>

#include "base/clock.h"
#include "echoc/say/terminal.h"

#define HISTOGRAM_ROWS 14
#define WIDE_ROW 44	/* columns that a row with a remark takes */
#define WIDE_LATENCY 72 /* and round trips side by side */
#define LIMIT_SHARE 0.95

static void print_counts(const struct books *books)
{
	double loss = books_loss_percent(books);

	printf("%" PRIu64 " sent, %" PRIu64 " received, %" PRIu64 " lost", books->sent,
	       books->received, books->lost);
	if (isfinite(loss))
		printf(" (%.*f%%)", loss > 0 && loss < 0.1 ? 4 : 1, loss);
	printf(", %" PRIu64 " duplicated, %" PRIu64 " late\n", books->duplicates, books->late);
	printf("%" PRIu64 " out of order, %" PRIu64 " corrupt, %" PRIu64 " truncated\n",
	       books->out_of_order, books->corrupt, books->truncated);
}

static void print_incidents(const struct books *books)
{
	if (books->reconnects > 0)
		printf("%" PRIu64 " reconnect%s\n", books->reconnects,
		       books->reconnects == 1 ? "" : "s");
	if (books->refused > 0)
		printf("%" PRIu64 " time%s refused: nothing listens there\n", books->refused,
		       books->refused == 1 ? "" : "s");
	if (books->icmp_errors > 0)
		printf("%" PRIu64 " ICMP error%s\n", books->icmp_errors,
		       books->icmp_errors == 1 ? "" : "s");
	if (books->own_drops > 0)
		printf("%" PRIu64 " dropped by our own socket's buffer, not by the network:\n"
		       "  raise net.core.rmem_max or lower the rate\n",
		       books->own_drops);
	if (books->skipped > 0)
		printf("%" PRIu64 " not sent while echoc was stopped\n", books->skipped);
	if (books->unexpected > 0)
		printf("%" PRIu64 " unexpected: what came belongs to no probe\n",
		       books->unexpected);
}

void report_ping_text(const struct books *books)
{
	static const double percents[] = {50, 90, 99, 99.9};
	const struct latency *latency = &books->latency;
	char text[4][NUMBER_TEXT_MAX];

	print_counts(books);
	print_incidents(books);
	if (latency->count == 0)
		return;
	printf("rtt min/avg/max/mdev = %s/%s/%s/%s ms\n", ms_text((double)latency->min, text[0]),
	       ms_text(latency_mean(latency), text[1]), ms_text((double)latency->max, text[2]),
	       ms_text(latency_deviation(latency), text[3]));
	for (unsigned i = 0; i < 4; i++)
		(void)ms_text(latency_percentile(latency, percents[i]), text[i]);
	printf("rtt p50/p90/p99/p99.9 = %s/%s/%s/%s ms\n", text[0], text[1], text[2], text[3]);
	printf("jitter (RFC 3550) = %s ms\n", ms_text(books_jitter(books), text[0]));
}

void report_progress(FILE *out, const struct books *books)
{
	const struct latency *latency = &books->latency;
	double loss = books_loss_percent(books);
	char text[3][NUMBER_TEXT_MAX];

	fprintf(out, "\r%" PRIu64 "/%" PRIu64 " received, %.1f%% lost", books->received,
		books->sent, isfinite(loss) ? loss : 0.0);
	if (latency->count > 0)
		fprintf(out, ", rtt min/avg/max = %s/%s/%s ms",
			ms_text((double)latency->min, text[0]),
			ms_text(latency_mean(latency), text[1]),
			ms_text((double)latency->max, text[2]));
	fputc('\n', out);
}

static unsigned processors(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1024;
}

/* The cores that our threads can keep busy at the same time. */
static unsigned cores_of(const struct report_span *span)
{
	unsigned all = processors();

	return span->threads < all ? span->threads : all;
}

bool report_client_was_limit(const struct report_span *span)
{
	return span->seconds > 0 && span->cpu > LIMIT_SHARE * span->seconds * cores_of(span);
}

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

static void print_beside(const struct figure *figures, unsigned count)
{
	char text[NUMBER_TEXT_MAX];

	printf("\n  round trip\n ");
	for (unsigned i = 0; i < count; i++)
		printf(" %9s", figures[i].name);
	printf("\n ");
	for (unsigned i = 0; i < count; i++)
		printf(" %9s", duration_text(figures[i].ns, text));
	printf("\n");
}

static void print_below(const struct figure *figures, unsigned count)
{
	char text[NUMBER_TEXT_MAX];

	printf("\n  round trip\n");
	for (unsigned i = 0; i < count; i++)
		printf("  %-14s %16s\n", figures[i].name, duration_text(figures[i].ns, text));
}

static void print_latency(const struct books *books)
{
	const struct latency *latency = &books->latency;
	const struct figure figures[] = {
		{"min", (double)latency->min},
		{"avg", latency_mean(latency)},
		{"p50", latency_percentile(latency, 50)},
		{"p90", latency_percentile(latency, 90)},
		{"p99", latency_percentile(latency, 99)},
		{"p99.9", latency_percentile(latency, 99.9)},
		{"max", (double)latency->max},
		{"deviation", latency_deviation(latency)},
		{"jitter", books_jitter(books)},
	};
	char text[2][NUMBER_TEXT_MAX];

	if (terminal_columns(stdout) <= WIDE_LATENCY) {
		print_below(figures, 9);
		return;
	}
	print_beside(figures, 7);
	printf("  deviation %s, jitter (RFC 3550) %s\n", duration_text(figures[7].ns, text[0]),
	       duration_text(figures[8].ns, text[1]));
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
	unsigned cores = cores_of(span);
	char text[NUMBER_TEXT_MAX];

	printf("\n  echoc used %.0f %% of %u core%s", share, cores, cores == 1 ? "" : "s");
	if (books->received > 0)
		printf(", %s a message",
		       duration_text(1e9 * span->cpu / (double)books->received, text));
	printf("%s\n", report_client_was_limit(span) ? ": the client was the limit" : "");
}

void report_hint(FILE *out, const struct target *target, const struct books *books, double seconds)
{
	bool closed = books->refused > 0 && books->received == 0;

	if (!target->datagram || books_lost_on_path(books) * 20 <= books->sent || seconds <= 0 ||
	    (double)books->sent / seconds <= 500 || closed)
		return;
	fputs("Hint: much was lost at a high rate. echod answers one source at most udp_rate "
	      "(1000)\n"
	      "datagrams a second unless told otherwise: see echod.conf(5).\n",
	      out);
}

void report_bench_text(const struct arguments *arguments, const struct target *target,
		       const struct books *books, const struct report_span *span)
{
	printf("echoc bench: %s over %s, %.1f s\n", target->text, target->protocol, span->seconds);
	printf("%" PRIu64 " bytes, %" PRIu64 " connection%s, ", arguments->size,
	       arguments->connections, arguments->connections == 1 ? "" : "s");
	if (arguments->rate > 0)
		printf("%" PRIu64 " a second", arguments->rate);
	else
		printf("%" PRIu64 " outstanding on each", arguments->depth);
	printf("%s\n\n", arguments->gso ? ", in trains" : "");
	print_rates(span);
	print_table(books);
	if (books->latency.count > 0) {
		print_latency(books);
		print_histogram(&books->latency);
	}
	print_client(books, span);
	print_incidents(books);
	report_hint(stdout, target, books, span->seconds);
}
