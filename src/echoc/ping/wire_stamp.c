/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Probes to a STAMP reflector, as probe/stamp_session.c writes them and reads the replies. */

#include "config.h"

#include <unistd.h>

#include "base/big_endian.h"
#include "base/key_file.h"
#include "echoc/command/arguments.h"
#include "echoc/ping/pinger.h"
#include "echoc/ping/wire.h"

#define ALL_OPTIONS (STAMP_ASKS_CLASS | STAMP_ASKS_LOCATION | STAMP_ASKS_COUNTS)

/* A size too small for the options does without them. */
static int set_size(struct pinger *pinger, struct reason *reason)
{
	struct stamp_form *form = &pinger->stamp.session.form;
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

	stamp_write(&pinger->stamp.session.form, &question, pinger->buffer);
	pinger->target->question = pinger->buffer;
	pinger->target->question_size = pinger->stamp.session.form.size;
}

static int init(struct pinger *pinger, struct reason *reason)
{
	struct ping_stamp *stamp = &pinger->stamp;
	const char *path = pinger->arguments->key_file;

	stamp->session = (struct stamp_session){
		.first = 1, .stride = 1, .offset = wall_clock_offset(), .ttl = pinger->target->ttl};
	stamp->session.form.ssid = (uint16_t)pinger->arguments->ssid;
	if (path && key_file_read(path, getuid(), &stamp->key, reason) != KEY_FILE_READ)
		return -1;
	stamp->session.form.key = path ? &stamp->key : NULL;
	if (set_size(pinger, reason) < 0)
		return -1;
	write_question(pinger);
	return 0;
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
	const struct stamp_question question = {.error = error_estimate(pinger, probe->time)};

	stamp_session_write(&pinger->stamp.session, probe, question, pinger->buffer);
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

/* The other side is an echo server, which is no reflector: worth saying once. */
static void look_for_request(struct pinger *pinger, size_t length)
{
	if (pinger->stamp.echoed ||
	    !stamp_session_is_echo(&pinger->stamp.session, &pinger->flow, pinger->buffer, length))
		return;
	pinger->stamp.echoed = true;
	ping_output_note(&pinger->output,
			 "returns requests unchanged: an echo server, not a STAMP reflector", 0);
}

static uint64_t judge(struct pinger *pinger, size_t length, struct finding *finding)
{
	const struct stamp_session *session = &pinger->stamp.session;
	struct stamp_answer answer;
	uint64_t sequence = stamp_session_judge(session, &pinger->flow, pinger->buffer, length,
						finding, &answer);

	if (sequence == 0) {
		look_for_request(pinger, length);
		return 0;
	}
	pinger->report =
		stamp_session_report(session, &answer, flow_sent_at(&pinger->flow, sequence),
				     &pinger->receiver, &pinger->reception);
	pinger->report.hops_back = hops_back(pinger, &answer);
	return sequence;
}

static uint64_t identify(const struct pinger *pinger)
{
	return stamp_session_sequence(&pinger->stamp.session, &pinger->flow, get32(pinger->buffer));
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
