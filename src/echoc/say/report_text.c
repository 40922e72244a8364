/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The text side of the reports. Owns nothing.
 */

#include "config.h"

#include "echoc/say/report.h"

#include <inttypes.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>

#include "echoc/say/terminal.h"

#define LIMIT_SHARE 0.95

void report_choice(const struct target *target, const struct reason *reason, bool verbose)
{
	if (reason->text[0] != '\0' && (verbose || !target->answered))
		fprintf(stderr, "echoc: %s\n", reason->text);
}

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

void report_incidents(const struct books *books)
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

void report_tcp_text(const struct tcp_figures *figures)
{
	double rtt = tcp_figures_rtt_us(figures);

	if (figures->connections == 0)
		return;
	printf("TCP: %" PRIu64 " retransmit%s", figures->retransmits,
	       figures->retransmits == 1 ? "" : "s");
	if (isfinite(rtt))
		printf(", RTT %.3f ms", rtt / 1000);
	if (figures->min_rtt_us > 0)
		printf(" (min %.3f)", (double)figures->min_rtt_us / 1000);
	printf(", cwnd %u", figures->cwnd);
	if (figures->pmtu > 0)
		printf(", path MTU %u", figures->pmtu);
	putchar('\n');
}

void report_ping_text(const struct books *books)
{
	static const double percents[] = {50, 90, 99, 99.9};
	const struct latency *latency = &books->latency;
	char text[4][NUMBER_TEXT_MAX];

	print_counts(books);
	report_incidents(books);
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

unsigned report_cores(const struct report_span *span)
{
	unsigned all = processors();

	return span->threads < all ? span->threads : all;
}

bool report_client_was_limit(const struct report_span *span)
{
	return span->seconds > 0 && span->cpu > LIMIT_SHARE * span->seconds * report_cores(span);
}

void report_hint(FILE *out, const struct target *target, const struct books *books, double seconds)
{
	bool closed = books->refused > 0 && books->received == 0;

	if (!target->datagram || books_lost_on_path(books) * 20 <= books->sent || seconds <= 0 ||
	    (double)books->sent / seconds <= 500 || closed)
		return;
	fputs("Hint: much was lost at a high rate. echod answers one source at most udp_rate "
	      "(1000)\n"
	      "datagrams per second by default: see echod.conf(5).\n",
	      out);
}
