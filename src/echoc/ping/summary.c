/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The results of a ping, for every interval and at the end. Owns nothing; ping.c calls
 * it.
 */

#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/clock.h"
#include "echoc/ping/pinger.h"
#include "echoc/ping/wire.h"
#include "echoc/say/report.h"
#include "echoc/say/terminal.h"

static void sum_up(const struct pinger *pinger, struct books *sum)
{
	*sum = pinger->total;
	books_merge(sum, &pinger->books);
	books_add_jitter(sum, &pinger->flow.jitter);
	assert(books_balance(sum));
}

/* As ping(8): one line on standard error, so that it is not part of the output. */
void pinger_print_progress(const struct pinger *pinger)
{
	struct books sum;

	sum_up(pinger, &sum);
	report_progress(stderr, &sum);
}

static struct report_span span_of(uint64_t from, const struct pinger *pinger)
{
	uint64_t now = clock_ns();

	return (struct report_span){.seconds = (double)(now - from) / 1e9,
				    .elapsed = (double)(now - pinger->started) / 1e9};
}

static void put_books(const struct pinger *pinger, struct json *json, const struct books *books,
		      const struct patterns *patterns)
{
	patterns_put(patterns, json, &books->latency);
	pinger_put_connection(pinger, json, books);
}

static bool measures_each_way(const struct pinger *pinger)
{
	return pinger->wire != &ping_wire_echo;
}

/* What came too late, or only as far as our own full socket, was not lost on a way. */
static uint64_t really_lost(const struct books *books)
{
	return books->lost - books->late > books->own_drops
		       ? books->lost - books->late - books->own_drops
		       : 0;
}

static void print_summary_json(struct pinger *pinger, const struct books *books,
			       const struct report_span *span)
{
	struct json json;

	report_begin_books(&json, "summary", books, span->elapsed);
	put_books(pinger, &json, books, &pinger->patterns);
	pinger_put_outages(pinger, &json);
	if (measures_each_way(pinger))
		far_side_put(&pinger->far, &json, really_lost(books));
	report_end_books(&json, books);
}

static void print_interval_json(struct pinger *pinger, const struct books *books,
				const struct report_span *span, uint64_t unanswered)
{
	struct json json;

	report_begin_books(&json, "interval", books, span->elapsed);
	put_books(pinger, &json, books, &pinger->interval_patterns);
	if (measures_each_way(pinger))
		far_side_put(&pinger->far_interval, &json, unanswered);
	report_end_books(&json, books);
}

static void print_interval_text(struct pinger *pinger, const struct books *books,
				const struct report_span *span, uint64_t unanswered)
{
	ping_output_clock(&pinger->output, stdout, clock_ns());
	printf("--- %s, the last %.1f of %.1f s ---\n", pinger->target->text, span->seconds,
	       span->elapsed);
	report_ping_text(books);
	if (measures_each_way(pinger))
		far_side_print(&pinger->far_interval, unanswered, pinger->target->tos);
}

/* Of the whole run, with what is still awaited: numbers of the far side show losses before that. */
static uint64_t count_unanswered(const struct pinger *pinger)
{
	struct books sum;

	sum_up(pinger, &sum);
	return really_lost(&sum) + flow_waiting(&pinger->flow);
}

void pinger_report(struct pinger *pinger)
{
	struct report_span span = span_of(pinger->reported, pinger);
	struct books interval;
	uint64_t unanswered;

	pinger_count_own_drops(pinger);
	interval = pinger->books;
	books_add_jitter(&interval, &pinger->flow.jitter);
	unanswered = count_unanswered(pinger);
	far_side_end_interval(&pinger->far_interval, &pinger->far);
	if (pinger->arguments->json)
		print_interval_json(pinger, &interval, &span, unanswered);
	else
		print_interval_text(pinger, &interval, &span, unanswered);
	far_side_next_interval(&pinger->far_interval, unanswered);
	books_merge(&pinger->total, &pinger->books);
	books_clear(&pinger->books);
	patterns_restart(&pinger->interval_patterns);
	pinger->summed_up = flow_oldest(&pinger->flow);
	pinger->reported = clock_ns();
}

static void print_details(const struct pinger *pinger)
{
	bool v6 = pinger->target->candidates[pinger->target->chosen].sa.sa_family == AF_INET6;
	int mtu = 0;
	socklen_t length = sizeof(mtu);

	printf("receive times: the kernel's for %" PRIu64 " of %" PRIu64
	       " replies, own for %" PRIu64 "\n",
	       pinger->by_kernel, pinger->replies, pinger->replies - pinger->by_kernel);
	if (getsockopt(pinger->link.fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU,
		       &mtu, &length) == 0)
		printf("path MTU, as far as the kernel knows: %d\n", mtu);
}

static void print_hints(const struct pinger *pinger, const struct books *sum, double seconds)
{
	FILE *out = pinger->arguments->json ? stderr : stdout;

	report_hint(out, pinger->target, sum, seconds);
	pinger_print_connection_hint(out, sum);
}

enum echoc_status pinger_sum_up(struct pinger *pinger)
{
	struct report_span span = span_of(pinger->started, pinger);
	struct books sum;

	pinger_count_own_drops(pinger);
	stream_count_unexpected(&pinger->link.stream);
	sum_up(pinger, &sum);
	if (pinger->arguments->json) {
		print_summary_json(pinger, &sum, &span);
	} else {
		printf("\n--- %s echo statistics, %.1f s over %s ---\n", pinger->target->text,
		       span.seconds, pinger->target->protocol);
		report_ping_text(&sum);
		patterns_print(&pinger->patterns, &sum.latency);
		pinger_print_outages(pinger);
		if (measures_each_way(pinger))
			far_side_print(&pinger->far, really_lost(&sum), pinger->target->tos);
		pinger_print_connection(pinger, &sum);
		if (pinger->arguments->verbose)
			print_details(pinger);
	}
	print_hints(pinger, &sum, span.seconds);
	return books_clean(&sum) ? ECHOC_INTACT : ECHOC_DAMAGED;
}
