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
#include "probe/socket_drops.h"

/* Of a datagram socket, which is the same one from the start to the end. */
static void count_own_drops(struct pinger *pinger)
{
	uint32_t drops = pinger->target->datagram ? socket_drops(pinger->link.fd) : 0;

	pinger->books.own_drops += (uint32_t)(drops - pinger->drops);
	pinger->drops = drops;
}

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

static void print_interval_json(const struct books *books, const struct report_span *span)
{
	struct json json;

	report_begin_books(&json, "interval", books, span->elapsed);
	report_end_books(&json, books);
}

static void put_numbers(const struct pinger *pinger, struct json *json, const struct latency *rtt)
{
	json_number(json, "reorder_extent_mean", reordering_mean(&pinger->reordering), 3);
	json_unsigned(json, "reorder_extent_max", pinger->reordering.max);
	json_open(json, "pdv_us");
	json_number(json, "p50", latency_variation(rtt, 50) / (double)NS_PER_US, 3);
	json_number(json, "p90", latency_variation(rtt, 90) / (double)NS_PER_US, 3);
	json_number(json, "p99", latency_variation(rtt, 99) / (double)NS_PER_US, 3);
	json_number(json, "p999", latency_variation(rtt, 99.9) / (double)NS_PER_US, 3);
	json_close(json);
}

static void print_numbers(const struct pinger *pinger, const struct latency *rtt)
{
	char text[4][NUMBER_TEXT_MAX];

	if (rtt->count > 0)
		printf("delay variation (RFC 5481) p50/p90/p99/p99.9 = %s/%s/%s/%s ms\n",
		       ms_text(latency_variation(rtt, 50), text[0]),
		       ms_text(latency_variation(rtt, 90), text[1]),
		       ms_text(latency_variation(rtt, 99), text[2]),
		       ms_text(latency_variation(rtt, 99.9), text[3]));
	if (pinger->reordering.count > 0)
		printf("reordering extent (RFC 4737) mean %.1f, max %" PRIu64 "\n",
		       reordering_mean(&pinger->reordering), pinger->reordering.max);
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
	put_numbers(pinger, &json, &books->latency);
	pinger_put_outages(pinger, &json);
	if (measures_each_way(pinger))
		far_side_put(&pinger->far, &json, really_lost(books));
	report_end_books(&json, books);
}

void pinger_report(struct pinger *pinger)
{
	struct report_span span = span_of(pinger->reported, pinger);
	struct books interval;

	count_own_drops(pinger);
	interval = pinger->books;
	books_add_jitter(&interval, &pinger->flow.jitter);
	if (pinger->arguments->json) {
		print_interval_json(&interval, &span);
	} else {
		ping_output_clock(&pinger->output, stdout, clock_ns());
		printf("--- %s, the last %.1f of %.1f s ---\n", pinger->target->text, span.seconds,
		       span.elapsed);
		report_ping_text(&interval);
	}
	books_merge(&pinger->total, &pinger->books);
	books_clear(&pinger->books);
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

enum echoc_status pinger_sum_up(struct pinger *pinger)
{
	struct report_span span = span_of(pinger->started, pinger);
	struct books sum;

	count_own_drops(pinger);
	stream_count_unexpected(&pinger->link.stream);
	sum_up(pinger, &sum);
	if (pinger->arguments->json) {
		print_summary_json(pinger, &sum, &span);
	} else {
		printf("\n--- %s echo statistics, %.1f s over %s ---\n", pinger->target->text,
		       span.seconds, pinger->target->protocol);
		report_ping_text(&sum);
		print_numbers(pinger, &sum.latency);
		pinger_print_outages(pinger);
		if (measures_each_way(pinger))
			far_side_print(&pinger->far, really_lost(&sum), pinger->target->tos);
		if (pinger->arguments->verbose)
			print_details(pinger);
	}
	report_hint(pinger->arguments->json ? stderr : stdout, pinger->target, &sum, span.seconds);
	return books_clean(&sum) ? ECHOC_INTACT : ECHOC_DAMAGED;
}
