/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Probes to a UDPEchoPlus server (TR-143, appendix A): it counts what it answers and says when, on
 * a clock of microseconds that starts anywhere and wraps. Our run takes the place of the iteration
 * number, so that replies to other senders' probes are ignored.
 */

#include "config.h"

#include <string.h>

#include "base/big_endian.h"
#include "echoc/command/arguments.h"
#include "echoc/ping/pinger.h"
#include "echoc/ping/wire.h"

#define ANSWERED 4
#define RECEIVED 8
#define SENT 12
#define FAILED 16
#define ITERATION 20
#define DATA 24

static uint32_t iteration(const struct pinger *pinger)
{
	return (uint32_t)pinger->flow.run;
}

static void write_probe(struct pinger *pinger, const struct probe *probe)
{
	memset(pinger->buffer, 0, DATA);
	put32(pinger->buffer, (uint32_t)probe->sequence);
	put32(pinger->buffer + ITERATION, iteration(pinger));
	probe_write(probe, DATA, pinger->buffer + DATA, pinger->flow.size - DATA);
}

static struct finding compare(const struct pinger *pinger, uint64_t sequence, size_t length)
{
	struct probe probe = flow_probe(&pinger->flow, sequence);
	size_t size = pinger->flow.size;
	size_t there = (length < size ? length : size) - DATA;
	size_t same = probe_match(&probe, DATA, pinger->buffer + DATA, there);

	if (same < there)
		return finding_corrupt(DATA + same, probe_byte(&probe, DATA + same),
				       pinger->buffer[DATA + same]);
	if (length > size)
		return finding_corrupt(size, -1, pinger->buffer[size]);
	if (length < size)
		return finding_truncated(length);
	return (struct finding){.verdict = VERDICT_INTACT};
}

static uint32_t microseconds(uint64_t ns)
{
	return (uint32_t)(ns / NS_PER_US);
}

/* Differences to our clock, which they stay close to as long as both count at the same speed. */
static void report_times(struct pinger *pinger, uint64_t sent)
{
	struct far_report *report = &pinger->report;
	uint32_t came = get32(pinger->buffer + RECEIVED), left = get32(pinger->buffer + SENT);
	uint64_t received = pinger->reception.time;
	uint64_t turnaround = (uint32_t)(left - came) * NS_PER_US;

	report->timed = received > sent && turnaround <= received - sent;
	report->turnaround = report->timed ? turnaround : 0;
	report->there =
		(int32_t)(came - microseconds(sent) - pinger->plus.clock) * (int64_t)NS_PER_US;
	report->back =
		(int32_t)(microseconds(received) - left + pinger->plus.clock) * (int64_t)NS_PER_US;
}

/* The first answer is where counting begins, and our clocks are compared. */
static void begin(struct pinger *pinger, uint64_t sequence, uint32_t count)
{
	pinger->plus.begun = true;
	pinger->plus.first = count;
	pinger->plus.clock = get32(pinger->buffer + RECEIVED) -
			     microseconds(flow_sent_at(&pinger->flow, sequence));
	pinger->far.loss.base = sequence - 1;
}

static void fill_report(struct pinger *pinger, uint64_t sequence)
{
	uint32_t answered = get32(pinger->buffer + ANSWERED);
	uint32_t count = answered + get32(pinger->buffer + FAILED);
	int ttl = pinger->reception.ttl;

	if (answered == 0)
		return; /* a plain echo server */
	if (!pinger->plus.begun)
		begin(pinger, sequence, count);
	pinger->report = no_far_report;
	pinger->report.present = pinger->report.counted = true;
	pinger->report.count = count - pinger->plus.first;
	if (pinger->arguments->ttl_fresh && ttl >= 0)
		pinger->report.hops_back = hops_of_fresh(ttl);
	report_times(pinger, flow_sent_at(&pinger->flow, sequence));
}

static uint64_t judge(struct pinger *pinger, size_t length, struct finding *finding)
{
	uint64_t sequence;

	if (length < DATA || get32(pinger->buffer + ITERATION) != iteration(pinger))
		return 0;
	sequence = wire_sequence(&pinger->flow, get32(pinger->buffer));
	if (!flow_holds(&pinger->flow, sequence))
		return 0;
	*finding = compare(pinger, sequence, length);
	fill_report(pinger, sequence);
	return sequence;
}

static uint64_t identify(const struct pinger *pinger)
{
	if (get32(pinger->buffer + ITERATION) != iteration(pinger))
		return 0;
	return wire_sequence(&pinger->flow, get32(pinger->buffer));
}

const struct ping_wire ping_wire_plus = {
	.name = "echoplus",
	.title = "ECHOPLUS",
	.write = write_probe,
	.judge = judge,
	.identity = DATA,
	.identify = identify,
};
