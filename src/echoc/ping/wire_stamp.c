/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Probes to a STAMP reflector (RFC 8762), which says when they arrived there and left again. The
 * number of a probe in its session is its sequence less one; what identifies a reply is the time
 * that it repeats, which nobody off the path can guess.
 */

#include "config.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#include "base/big_endian.h"
#include "base/key_file.h"
#include "echoc/command/arguments.h"
#include "echoc/ping/pinger.h"
#include "echoc/ping/wire.h"

#define STEP (NS_PER_MS) /* more, and the wall clock was set */

#define ALL_OPTIONS (STAMP_ASKS_CLASS | STAMP_ASKS_LOCATION | STAMP_ASKS_COUNTS)

/* A size too small for the options does without them. */
static int set_size(struct pinger *pinger, struct reason *reason)
{
	struct stamp_form *form = &pinger->stamp.form;
	size_t wanted = (size_t)pinger->arguments->size;
	size_t least = stamp_least(form);

	if (wanted > 0 && wanted < least)
		return reason_set(reason, "-s %zu: a STAMP packet has at least %zu bytes%s", wanted,
				  least, form->key ? " with a key" : "");
	form->options = ALL_OPTIONS;
	if (wanted > 0 && wanted < stamp_least(form))
		form->options = 0;
	form->size = wanted > 0 ? wanted : stamp_least(form);
	pinger->flow.size = form->size;
	return 0;
}

/* For the choice among several addresses of a name. */
static void write_question(struct pinger *pinger)
{
	const struct stamp_question question = {.error = STAMP_UNSYNCHRONISED_ESTIMATE};

	stamp_write(&pinger->stamp.form, &question, pinger->buffer);
	pinger->target->question = pinger->buffer;
	pinger->target->question_size = pinger->stamp.form.size;
}

static int init(struct pinger *pinger, struct reason *reason)
{
	struct ping_stamp *stamp = &pinger->stamp;
	const char *path = pinger->arguments->key_file;

	stamp->offset = wall_clock_offset();
	stamp->form.ssid = (uint16_t)pinger->arguments->ssid;
	if (path && key_file_read(path, getuid(), &stamp->key, reason) != KEY_FILE_READ)
		return -1;
	stamp->form.key = path ? &stamp->key : NULL;
	if (set_size(pinger, reason) < 0)
		return -1;
	write_question(pinger);
	return 0;
}

static uint64_t time_of(const struct pinger *pinger, uint64_t sent)
{
	return stamp_time_of(sent + pinger->stamp.offset);
}

/* Between the time of a probe and its departure there is no system call, but once a second. */
static uint16_t error_estimate(struct pinger *pinger, uint64_t now)
{
	struct ping_stamp *stamp = &pinger->stamp;

	if (stamp->estimated == 0 || now - stamp->estimated >= NS_PER_S) {
		stamp->error = stamp_estimate();
		stamp->estimated = now;
	}
	return stamp->error;
}

static void write_probe(struct pinger *pinger, const struct probe *probe)
{
	const struct stamp_question question = {.sequence = (uint32_t)probe->sequence - 1,
						.time = time_of(pinger, probe->time),
						.error = error_estimate(pinger, probe->time)};
	size_t length, padding = stamp_padding(&pinger->stamp.form, &length);

	stamp_write(&pinger->stamp.form, &question, pinger->buffer);
	if (length > 0)
		probe_write(probe, padding, pinger->buffer + padding, length);
}

/* The base packet alone is whole: a reflector may leave out what it does not know. */
static struct finding compare(const struct pinger *pinger, uint64_t sequence, size_t length)
{
	const struct stamp_form *form = &pinger->stamp.form;
	struct probe probe = flow_probe(&pinger->flow, sequence);
	size_t size, padding = stamp_padding(form, &size);
	size_t there = length > padding ? length - padding : 0;
	size_t same;

	if (there > size)
		there = size;
	same = size > 0 ? probe_match(&probe, padding, pinger->buffer + padding, there) : there;
	if (same < there)
		return finding_corrupt(padding + same, probe_byte(&probe, padding + same),
				       pinger->buffer[padding + same]);
	if (length > form->size)
		return finding_corrupt(form->size, -1, pinger->buffer[form->size]);
	if (length < form->size && length != stamp_base(form))
		return finding_truncated(length);
	return (struct finding){.verdict = VERDICT_INTACT};
}

/* How many routers the reply passed, if the TTL it started with is known. */
static int hops_back(const struct pinger *pinger, const struct stamp_answer *answer)
{
	int ttl = pinger->reception.ttl;

	if (ttl < 0)
		return -1;
	if (pinger->arguments->ttl_guarded)
		return answer->ttl - 1 > ttl ? answer->ttl - 1 - ttl : 0;
	if (pinger->arguments->ttl_fresh)
		return hops_of_fresh(ttl);
	return -1;
}

static void report_times(struct pinger *pinger, uint64_t sent, const struct stamp_answer *answer)
{
	struct far_report *report = &pinger->report;
	uint64_t offset = pinger->stamp.offset;
	int64_t turnaround = answer->sent - answer->received;
	uint64_t round = pinger->reception.time > sent ? pinger->reception.time - sent : 0;
	bool set = pinger->receiver.offset - offset + STEP > 2 * STEP;

	report->timed = turnaround >= 0 && (uint64_t)turnaround <= round;
	report->turnaround = report->timed ? (uint64_t)turnaround : 0;
	report->there = answer->received - (int64_t)(sent + offset);
	report->back = (int64_t)(pinger->reception.time + offset) - answer->sent;
	if (!set && (answer->error & answer->request_error & STAMP_SYNCHRONISED) != 0 &&
	    (answer->error & STAMP_PTP_FORMAT) == 0)
		report->error =
			stamp_error_ns(answer->error) + stamp_error_ns(answer->request_error);
}

static void fill_report(struct pinger *pinger, uint64_t sequence, const struct stamp_answer *answer)
{
	pinger->report = no_far_report;
	pinger->report.present = true;
	pinger->report.counted = (answer->options & STAMP_ASKS_COUNTS) != 0 ||
				 answer->sequence != answer->request_sequence;
	pinger->report.count = answer->sequence;
	if (answer->ttl > 0 && answer->ttl <= pinger->target->ttl)
		pinger->report.hops_there = pinger->target->ttl - answer->ttl;
	pinger->report.hops_back = hops_back(pinger, answer);
	if ((answer->options & STAMP_ASKS_CLASS) != 0) {
		pinger->report.dscp = answer->dscp;
		pinger->report.ecn = answer->ecn;
	}
	pinger->report.source = answer->source;
	report_times(pinger, flow_sent_at(&pinger->flow, sequence), answer);
}

/* The other side is an echo server, which is no reflector: worth saying once. */
static void look_for_request(struct pinger *pinger, size_t length)
{
	const struct stamp_form *form = &pinger->stamp.form;
	const struct stamp_layout *layout =
		form->key ? &stamp_authenticated : &stamp_unauthenticated;
	uint64_t sequence = wire_sequence(&pinger->flow, get32(pinger->buffer) + 1);

	if (length != form->size || pinger->stamp.echoed || !flow_holds(&pinger->flow, sequence) ||
	    get64(pinger->buffer + layout->time) !=
		    time_of(pinger, flow_sent_at(&pinger->flow, sequence)))
		return;
	pinger->stamp.echoed = true;
	ping_output_note(&pinger->output,
			 "returns requests unchanged: an echo server, not a STAMP reflector", 0);
}

static uint64_t judge(struct pinger *pinger, size_t length, struct finding *finding)
{
	struct stamp_answer answer;
	uint64_t sequence;

	if (stamp_read(&pinger->stamp.form, pinger->buffer, length, &answer) < 0)
		return 0;
	sequence = wire_sequence(&pinger->flow, answer.request_sequence + 1);
	if (!flow_holds(&pinger->flow, sequence) ||
	    !stamp_repeats(answer.request_time,
			   time_of(pinger, flow_sent_at(&pinger->flow, sequence)))) {
		look_for_request(pinger, length);
		return 0;
	}
	*finding = compare(pinger, sequence, length);
	fill_report(pinger, sequence, &answer);
	return sequence;
}

static uint64_t identify(const struct pinger *pinger)
{
	return wire_sequence(&pinger->flow, get32(pinger->buffer) + 1);
}

const struct ping_wire ping_wire_stamp = {
	.name = "stamp",
	.title = "STAMP",
	.init = init,
	.write = write_probe,
	.judge = judge,
	.identity = 4,
	.identify = identify,
};
