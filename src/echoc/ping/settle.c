/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The fate of each probe, entered once in the books and on the screen. Owns nothing; ping.c calls
 * it.
 */

#include "config.h"

#include "echoc/ping/pinger.h"
#include "probe/socket_drops.h"
#include "probe/stopped.h"

/* In each interval, too, late is part of lost; this loss belongs to an earlier one. */
static void enter_late_in_total(struct pinger *pinger)
{
	pinger->books.late--;
	pinger->total.late++;
}

/* Without what the far side took; but what came too late stays late. */
static uint64_t time_on_the_path(const struct pinger *pinger, const struct ping_reply *reply,
				 uint64_t latest)
{
	uint64_t time = reply->reception.time;

	return time > latest ? time : time - pinger->report.turnaround;
}

static void enter_far_side(struct pinger *pinger, const struct ping_reply *reply)
{
	const struct far_reply far = {.sequence = reply->sequence - 1,
				      .time = reply->reception.time,
				      .duplicate = reply->fate == FATE_DUPLICATE,
				      .in_time = reply->fate == FATE_RECEIVED};

	far_side_enter(&pinger->far, &far, &pinger->report);
	if (pinger->arguments->report_ms > 0)
		far_side_enter(&pinger->far_interval, &far, &pinger->report);
}

static void enter_order(struct pinger *pinger, uint64_t sequence)
{
	reordering_enter(&pinger->patterns.reordering, sequence);
	reordering_enter(&pinger->interval_patterns.reordering, sequence);
}

void pinger_settle_reply(struct pinger *pinger, uint64_t sequence, const struct finding *finding,
			 size_t bytes)
{
	struct ping_reply reply = {.sequence = sequence,
				   .bytes = bytes,
				   .finding = *finding,
				   .reception = pinger->reception};
	uint64_t latest = flow_sent_at(&pinger->flow, sequence) + pinger->flow.timeout;

	if (reply.reception.time > latest &&
	    stopped_hides_time(&pinger->flow, sequence, &reply.reception, pinger->target->datagram,
			       pinger->woken)) {
		reply.reception.time = latest;
		reply.reception.by_kernel = false;
	}
	reply.report = &pinger->report;
	reply.fate = flow_reply(&pinger->flow, sequence, finding, bytes,
				time_on_the_path(pinger, &reply, latest), &reply.rtt);
	enter_far_side(pinger, &reply);
	if (reply.fate == FATE_RECEIVED)
		enter_order(pinger, sequence);
	if (reply.fate == FATE_LATE && sequence < pinger->summed_up)
		enter_late_in_total(pinger);
	pinger->replies++;
	pinger->by_kernel += reply.reception.by_kernel;
	ping_output_reply(&pinger->output, &reply);
	pinger_follow_outages(pinger);
}

void pinger_settle_lost(struct pinger *pinger, uint64_t sequence, const char *why)
{
	flow_lose(&pinger->flow, sequence);
	ping_output_lost(&pinger->output, sequence, why);
	pinger_follow_outages(pinger);
}

/* Of a datagram socket, which is the same one from the start to the end. */
void pinger_count_own_drops(struct pinger *pinger)
{
	if (pinger->target->datagram)
		pinger->books.own_drops +=
			own_faults_drops(&pinger->own, socket_drops(pinger->link.fd), clock_ns());
}

static void excuse(struct pinger *pinger, uint64_t sequence)
{
	outages_excuse(&pinger->outages, sequence);
	pinger->patterns.loss_runs.excused = sequence;
	pinger->interval_patterns.loss_runs.excused = sequence;
}

void pinger_settle_overdue(struct pinger *pinger, uint64_t sequence)
{
	uint64_t sent = flow_sent_at(&pinger->flow, sequence);
	const char *own;

	pinger_count_own_drops(pinger);
	own = own_faults_explain(&pinger->own, sequence, sent);
	if (own) {
		excuse(pinger, sequence);
		pinger_settle_lost(pinger, sequence, own);
	} else {
		pinger_settle_lost(pinger, sequence,
				   pinger->link.fd >= 0 ? "timeout" : "not connected");
	}
}

void pinger_enter_pause(struct pinger *pinger, uint64_t stopped)
{
	const struct outage_pause pause = {
		.before = flow_next(&pinger->flow),
		.stopped = stopped,
		.suspended = own_faults_sleep(&pinger->own, flow_next(&pinger->flow))};

	if (pause.stopped > 0 || pause.suspended > 0)
		outages_pause(&pinger->outages, &pause);
}
