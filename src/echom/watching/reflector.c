/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See reflector.h. Called by exchange.c, and by settle.c with the fate of each probe. */

#include "config.h"

#include "echom/watching/reflector.h"

#include <stdlib.h>

#define OPTIONS (STAMP_ASKS_CLASS | STAMP_ASKS_COUNTS)

/* Our clock is not said to be synchronised: no one-way time is made of it. */
static const struct stamp_question question = {.error = STAMP_UNSYNCHRONISED_ESTIMATE};

/* What is asked for needs room, whatever the size. */
static struct stamp_form form_of(const struct watch_settings *settings)
{
	struct stamp_form form = {.options = OPTIONS, .size = (size_t)settings->size};

	if (form.size < stamp_least(&form))
		form.size = stamp_least(&form);
	return form;
}

struct reflector *reflector_new(const struct watch_settings *settings, size_t ports)
{
	struct reflector *reflector =
		calloc(1, sizeof(*reflector) + ports * sizeof(reflector->ports[0]));
	uint64_t offset = wall_clock_offset();

	if (!reflector)
		return NULL;
	reflector->dscp = (uint8_t)settings->dscp;
	reflector->report = no_far_report;
	reflector->dscp_changed[WAY_THERE] = reflector->dscp_changed[WAY_BACK] = -1;
	reflector->count = ports;
	for (size_t i = 0; i < ports; i++)
		reflector->ports[i].session = (struct stamp_session){.form = form_of(settings),
								     .first = i + 1,
								     .stride = ports,
								     .offset = offset,
								     .ttl = STAMP_TTL};
	return reflector;
}

size_t reflector_size(const struct reflector *reflector)
{
	return reflector->ports[0].session.form.size;
}

void reflector_write(const struct reflector *reflector, size_t port, const struct probe *probe,
		     uint8_t *packet)
{
	struct stamp_question wish = question;

	wish.dscp = reflector->dscp;
	stamp_session_write(&reflector->ports[port].session, probe, wish, packet);
}

/* A reflector may refuse our wish, and then uses the DSCP that it received. */
static void note_marks(struct reflector *reflector, const struct stamp_answer *answer, int tos)
{
	uint8_t wanted = answer->dscp_refused ? answer->dscp : reflector->dscp;

	if ((answer->options & STAMP_ASKS_CLASS) == 0)
		return;
	reflector->dscp_changed[WAY_THERE] = answer->dscp != reflector->dscp;
	if (tos >= 0)
		reflector->dscp_changed[WAY_BACK] = tos >> 2 != wanted;
}

uint64_t reflector_judge(struct reflector *reflector, size_t port, const struct flow *flow,
			 const struct arrival *arrival, struct finding *finding)
{
	const struct stamp_session *session = &reflector->ports[port].session;
	struct stamp_answer answer;
	uint64_t sequence = stamp_session_judge(session, flow, arrival->data, arrival->length,
						finding, &answer);

	if (sequence == 0) {
		reflector->is_echo |=
			stamp_session_is_echo(session, flow, arrival->data, arrival->length);
		return 0;
	}
	reflector->report = stamp_session_report(session, &answer, flow_sent_at(flow, sequence),
						 arrival->receiver, arrival->reception);
	reflector->is_echo = false;
	reflector->far_ttl = answer.ttl;
	note_marks(reflector, &answer, arrival->reception->tos);
	return sequence;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/*
 * What was overtaken counts as lost until it comes, and figures that Prometheus adds up must not
 * fall: they rise only as far as losses are final, and stay where they are until the truth has
 * caught up with them.
 */
static void split(struct reflector_port *port, uint64_t waiting)
{
	uint64_t on_way[WAYS], left;

	port->consistent = directional_loss_split(&port->loss, port->lost + waiting,
						  &on_way[WAY_THERE], &on_way[WAY_BACK]);
	if (!port->consistent)
		return;
	left = port->lost - port->on_way[WAY_THERE] - port->on_way[WAY_BACK];
	for (enum way way = WAY_THERE; way < WAYS; way++) {
		uint64_t more = larger(on_way[way], port->on_way[way]) - port->on_way[way];

		if (more > left)
			more = left;
		port->on_way[way] += more;
		left -= more;
	}
}

void reflector_enter(struct reflector *reflector, size_t port, uint64_t sequence, uint64_t time,
		     enum fate fate, uint64_t waiting)
{
	struct reflector_port *here = &reflector->ports[port];
	const struct stamp_session *session = &here->session;
	const struct numbered_reply reply = {.time = time,
					     .sequence =
						     (sequence - session->first) / session->stride,
					     .count = reflector->report.count,
					     .duplicate = fate == FATE_DUPLICATE};

	here->counts |= reflector->report.counted;
	directional_loss_enter(&here->loss, &reply);
	split(here, waiting);
}

void reflector_lose(struct reflector *reflector, size_t port, uint64_t waiting)
{
	struct reflector_port *here = &reflector->ports[port];

	here->lost++;
	split(here, waiting);
}

bool reflector_lost(const struct reflector *reflector, uint64_t lost[static WAYS])
{
	bool counts = false;

	lost[WAY_THERE] = lost[WAY_BACK] = 0;
	for (size_t i = 0; i < reflector->count; i++) {
		const struct reflector_port *port = &reflector->ports[i];

		if (port->counts && !port->consistent)
			return false;
		counts |= port->counts;
		lost[WAY_THERE] += port->on_way[WAY_THERE];
		lost[WAY_BACK] += port->on_way[WAY_BACK];
	}
	return counts;
}
