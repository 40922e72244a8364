/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a ping has found out: each probe is settled here once, and summed up for every interval and
 * at the end. Owns nothing; the other files of ping call it.
 */

#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>

#include "base/clock.h"
#include "echoc/ping/pinger.h"
#include "echoc/say/report.h"
#include "probe/socket_drops.h"

/* In an interval, too, late is a part of lost; this loss was reported in an earlier one. */
static void enter_late_in_total(struct pinger *pinger)
{
	pinger->books.late--;
	pinger->total.late++;
}

/*
 * The reply waited while we were stopped, and when it came is not known: the kernel did not say, or
 * said when the last of several came, all but one of which were earlier.
 */
static bool may_have_been_in_time(const struct pinger *pinger, uint64_t sequence)
{
	if (pinger->woken == 0 || !flow_awaits(&pinger->flow, sequence))
		return false;
	return pinger->reception.time > pinger->woken ||
	       (!pinger->target->datagram && sequence != flow_next(&pinger->flow) - 1);
}

void pinger_settle_reply(struct pinger *pinger, uint64_t sequence, const struct finding *finding,
			 size_t bytes)
{
	struct ping_reply reply = {.sequence = sequence,
				   .bytes = bytes,
				   .finding = *finding,
				   .reception = pinger->reception};
	uint64_t latest = flow_sent_at(&pinger->flow, sequence) + pinger->flow.timeout;

	if (reply.reception.time > latest && may_have_been_in_time(pinger, sequence)) {
		reply.reception.time = latest;
		reply.reception.by_kernel = false;
	}
	reply.fate = flow_reply(&pinger->flow, sequence, finding, bytes, reply.reception.time,
				&reply.rtt);
	if (reply.fate == FATE_LATE && sequence < pinger->summed_up)
		enter_late_in_total(pinger);
	pinger->replies++;
	pinger->by_kernel += reply.reception.by_kernel;
	ping_output_reply(&pinger->output, &reply);
	pinger_end_if_done(pinger);
}

void pinger_settle_lost(struct pinger *pinger, uint64_t sequence, const char *why)
{
	flow_lose(&pinger->flow, sequence);
	ping_output_lost(&pinger->output, sequence, why);
	pinger_end_if_done(pinger);
}

/* Of a datagram socket, which is the same one from the start to the end. */
static void count_own_drops(struct pinger *pinger)
{
	uint32_t drops = pinger->target->datagram ? socket_drops(pinger->fd) : 0;

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

/* As ping(8): one line in between, on standard error, so that it is no part of the output. */
void pinger_say_so_far(const struct pinger *pinger)
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

void pinger_report(struct pinger *pinger)
{
	struct report_span span = span_of(pinger->reported, pinger);
	struct books interval;

	count_own_drops(pinger);
	interval = pinger->books;
	books_add_jitter(&interval, &pinger->flow.jitter);
	if (pinger->arguments->json) {
		report_books_json("interval", pinger->arguments, &interval, &span);
	} else {
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
	if (getsockopt(pinger->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_MTU : IP_MTU, &mtu,
		       &length) == 0)
		printf("path MTU, as far as the kernel knows: %d\n", mtu);
}

enum echoc_status pinger_sum_up(struct pinger *pinger)
{
	struct report_span span = span_of(pinger->started, pinger);
	struct books sum;

	ping_link_read(pinger, clock_ns());
	ping_link_lose_waiting(pinger, "stopped");
	count_own_drops(pinger);
	pinger->books.unexpected += stream_unexpected(&pinger->stream) > 0;
	sum_up(pinger, &sum);
	if (pinger->arguments->json) {
		report_books_json("summary", pinger->arguments, &sum, &span);
	} else {
		printf("\n--- %s echo statistics, %.1f s over %s ---\n", pinger->target->text,
		       span.seconds, pinger->target->protocol);
		report_ping_text(&sum);
		if (pinger->arguments->verbose)
			print_details(pinger);
	}
	report_hint(pinger->arguments->json ? stderr : stdout, pinger->target, &sum, span.seconds);
	return books_clean(&sum) ? ECHOC_INTACT : ECHOC_DAMAGED;
}
