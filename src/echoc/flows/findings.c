/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See findings.h. Owns nothing; flows.c calls it at the end. */

#include "config.h"

#include "echoc/flows/findings.h"

#include <assert.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "echoc/flows/flow_set.h"

/*
 * What our own socket dropped was not lost on the path: such a probe does not count at all. Over
 * TCP, what was lost on either way and sent again does.
 */
static struct flow_loss loss_of(const struct source_port *port)
{
	const struct books *books = &port->books;
	uint64_t on_path = books_lost_on_path(books);
	uint64_t sent = books->sent - (books->lost - on_path);
	uint64_t lost = on_path + port->delayed;

	if (lost < port->retransmits)
		lost = port->retransmits;
	return (struct flow_loss){.sent = sent, .lost = lost < sent ? lost : sent};
}

static void add_ttl(struct flow_class *class, const struct source_port *port)
{
	if (port->ttl_least == 0)
		return;
	if (class->ttl_least == 0 || port->ttl_least < class->ttl_least)
		class->ttl_least = port->ttl_least;
	if (port->ttl_most > class->ttl_most)
		class->ttl_most = port->ttl_most;
}

static void add_flow(struct findings *findings, size_t at, const struct source_port *port)
{
	struct flow_class *class = &findings->classes[findings->losses[at].class];

	class->flows++;
	class->lost += findings->losses[at].lost;
	class->delayed += port->delayed;
	class->retransmits += port->retransmits;
	books_merge(&class->books, &port->books);
	add_ttl(class, port);
}

/*
 * Flows of one class that come back with different TTLs took different paths; one whose TTL changed
 * shows nothing.
 */
static size_t count_paths(const struct findings *findings, const struct flows *flows,
			  unsigned class)
{
	bool seen[UINT8_MAX + 1] = {false};
	size_t paths = 0;

	for (size_t i = 0; i < flows->count; i++) {
		const struct source_port *port = &flows->ports[i];

		if (findings->losses[i].class != class || port->ttl_least != port->ttl_most ||
		    port->ttl_least == 0)
			continue;
		paths += !seen[port->ttl_least];
		seen[port->ttl_least] = true;
	}
	return paths > 0 ? paths : findings->classes[class].flows > 0;
}

static void sum_up(struct findings *findings, const struct flows *flows)
{
	for (size_t i = 0; i < flows->count; i++)
		add_flow(findings, i, &flows->ports[i]);
	for (unsigned i = 0; i <= findings->lossy_classes; i++) {
		books_merge(&findings->sum, &findings->classes[i].books);
		findings->paths_at_least += count_paths(findings, flows, i);
	}
	findings->sum.skipped = flows->skipped;
	assert(books_balance(&findings->sum));
}

int flow_findings_make(struct findings *findings, const struct flows *flows)
{
	memset(findings, 0, sizeof(*findings));
	findings->losses = calloc(flows->count, sizeof(*findings->losses));
	if (!findings->losses)
		return -1;
	for (size_t i = 0; i < flows->count; i++)
		findings->losses[i] = loss_of(&flows->ports[i]);
	findings->lossy = lossy_flows_find(findings->losses, flows->count);
	findings->lossy_classes = lossy_flows_classes(findings->losses, flows->count);
	findings->paths = lossy_flows_paths(flows->count, findings->lossy, findings->lossy_classes);
	if (flows->schedule.start != 0)
		findings->seconds = (double)(clock_ns() - flows->schedule.start) / (double)NS_PER_S;
	findings->classes = calloc(findings->lossy_classes + 1, sizeof(*findings->classes));
	if (!findings->classes)
		return -1;
	sum_up(findings, flows);
	return 0;
}

void flow_findings_clear(struct findings *findings)
{
	free(findings->losses);
	free(findings->classes);
}

size_t findings_first_lossy(const struct findings *findings, const struct flows *flows)
{
	size_t at = 0;

	while (at < flows->count && findings->losses[at].class != 1)
		at++;
	return at;
}

const char *findings_repeat(const struct flows *flows, size_t flow,
			    char text[static REPEAT_TEXT_MAX])
{
	char own[ADDRESS_TEXT_MAX];

	if (flow >= flows->count)
		return NULL;
	snprintf(text, REPEAT_TEXT_MAX, "echoc ping -%c -s %" PRIu64 " -I %s %s",
		 flows->target->datagram ? 'u' : 't', flows->arguments->size,
		 address_format(&flows->ports[flow].target.source, own), flows->target->text);
	return text;
}
