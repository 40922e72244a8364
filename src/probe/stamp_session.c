/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stamp_session.h. Owns nothing; ping and echom's watches call it. */

#include "config.h"

#include "probe/stamp_session.h"

#include "base/big_endian.h"
#include "base/clock.h"

#define STEP (NS_PER_MS) /* more, and the wall clock was set */

static uint64_t time_of(const struct stamp_session *session, uint64_t sent)
{
	return stamp_time_of(sent + session->offset);
}

void stamp_session_write(const struct stamp_session *session, const struct probe *probe,
			 struct stamp_question question, uint8_t *packet)
{
	size_t length, padding = stamp_padding(&session->form, &length);

	question.sequence = (uint32_t)((probe->sequence - session->first) / session->stride);
	question.time = time_of(session, probe->time);
	stamp_write(&session->form, &question, packet);
	if (length > 0)
		probe_write(probe, padding, packet + padding, length);
}

/* The latest one whose low 32 bits are NUMBER. */
uint64_t stamp_session_sequence(const struct stamp_session *session, const struct flow *flow,
				uint32_t number)
{
	uint64_t next = (flow_next(flow) + session->stride - 1 - session->first) / session->stride;

	return session->first + (next - (uint32_t)((uint32_t)next - number)) * session->stride;
}

/* The base packet alone is whole: a reflector may leave out what it does not know. */
static struct finding compare(const struct stamp_session *session, const struct probe *probe,
			      const uint8_t *data, size_t length)
{
	const struct stamp_form *form = &session->form;
	size_t size, padding = stamp_padding(form, &size);
	size_t there = length > padding ? length - padding : 0;
	size_t same;

	if (there > size)
		there = size;
	same = size > 0 ? probe_match(probe, padding, data + padding, there) : there;
	if (same < there)
		return finding_corrupt(padding + same, probe_byte(probe, padding + same),
				       data[padding + same]);
	if (length > form->size)
		return finding_corrupt(form->size, -1, data[form->size]);
	if (length < form->size && length != stamp_base(form))
		return finding_truncated(length);
	return (struct finding){.verdict = VERDICT_INTACT};
}

uint64_t stamp_session_judge(const struct stamp_session *session, const struct flow *flow,
			     const uint8_t *data, size_t length, struct finding *finding,
			     struct stamp_answer *answer)
{
	struct probe probe;
	uint64_t sequence;

	if (stamp_read(&session->form, data, length, answer) < 0)
		return 0;
	sequence = stamp_session_sequence(session, flow, answer->request_sequence);
	if (!flow_holds(flow, sequence))
		return 0;
	probe = flow_probe(flow, sequence);
	if (!stamp_repeats(answer->request_time, time_of(session, probe.time)))
		return 0;
	*finding = compare(session, &probe, data, length);
	return sequence;
}

bool stamp_session_is_echo(const struct stamp_session *session, const struct flow *flow,
			   const uint8_t *data, size_t length)
{
	const struct stamp_layout *layout =
		session->form.key ? &stamp_authenticated : &stamp_unauthenticated;
	uint64_t sequence;

	if (length != session->form.size)
		return false;
	sequence = stamp_session_sequence(session, flow, get32(data));
	return flow_holds(flow, sequence) &&
	       get64(data + layout->time) == time_of(session, flow_sent_at(flow, sequence));
}

static void report_times(struct far_report *report, const struct stamp_session *session,
			 const struct stamp_answer *answer, uint64_t sent,
			 const struct receiver *receiver, const struct reception *reception)
{
	int64_t turnaround = answer->sent - answer->received;
	uint64_t round = reception->time > sent ? reception->time - sent : 0;
	bool set = receiver->offset - session->offset + STEP > 2 * STEP;

	report->timed = turnaround >= 0 && (uint64_t)turnaround <= round;
	report->turnaround = report->timed ? (uint64_t)turnaround : 0;
	report->there = answer->received - (int64_t)(sent + session->offset);
	report->back = (int64_t)(reception->time + session->offset) - answer->sent;
	if (!set && (answer->error & answer->request_error & STAMP_SYNCHRONISED) != 0 &&
	    (answer->error & STAMP_PTP_FORMAT) == 0)
		report->error =
			stamp_error_ns(answer->error) + stamp_error_ns(answer->request_error);
}

struct far_report stamp_session_report(const struct stamp_session *session,
				       const struct stamp_answer *answer, uint64_t sent,
				       const struct receiver *receiver,
				       const struct reception *reception)
{
	struct far_report report = no_far_report;

	report.present = true;
	report.counted = (answer->options & STAMP_ASKS_COUNTS) != 0 ||
			 answer->sequence != answer->request_sequence;
	report.count = answer->sequence;
	if (answer->ttl > 0 && answer->ttl <= session->ttl)
		report.hops_there = session->ttl - answer->ttl;
	if ((answer->options & STAMP_ASKS_CLASS) != 0) {
		report.dscp = answer->dscp;
		report.ecn = answer->ecn;
	}
	report.source = answer->source;
	report_times(&report, session, answer, sent, receiver, reception);
	return report;
}
