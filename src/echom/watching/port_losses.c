/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See port_losses.h. Filled by settle.c, read by each scrape and the page. */

#include "config.h"

#include "echom/watching/port_losses.h"

#include <stdlib.h>

#include "echom/config/words.h"
#include "probe/lossy_flows.h"

struct port_losses *port_losses_new(size_t count, uint64_t now)
{
	struct port_losses *losses = calloc(1, sizeof(*losses) + count * sizeof(losses->ports[0]));

	if (!losses)
		return NULL;
	losses->began = now;
	losses->count = count;
	return losses;
}

static void begin_period(struct port_losses *losses)
{
	losses->current ^= 1;
	losses->began += PORT_LOSSES_PERIOD;
	for (size_t i = 0; i < losses->count; i++)
		losses->ports[i].sent[losses->current] = losses->ports[i].lost[losses->current] = 0;
}

void port_losses_enter(struct port_losses *losses, size_t port, bool lost, uint64_t now)
{
	/* After a long stop of ours both periods are over. */
	for (unsigned i = 0; i < 2 && now - losses->began >= PORT_LOSSES_PERIOD; i++)
		begin_period(losses);
	if (now - losses->began >= PORT_LOSSES_PERIOD)
		losses->began = now;
	losses->ports[port].sent[losses->current]++;
	losses->ports[port].lost[losses->current] += lost;
}

/* Mostly nothing was lost, or too little to tell. */
static bool may_be_lossy(const struct flow_loss *flows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (flows[i].lost >= LOSSY_LEAST)
			return true;
	}
	return false;
}

size_t port_losses_lossy(const struct port_losses *losses)
{
	struct flow_loss flows[WATCH_FLOWS_MAX];

	for (size_t i = 0; i < losses->count; i++) {
		const struct port_loss *port = &losses->ports[i];

		flows[i] = (struct flow_loss){.sent = (uint64_t)port->sent[0] + port->sent[1],
					      .lost = (uint64_t)port->lost[0] + port->lost[1]};
	}
	return may_be_lossy(flows, losses->count) ? lossy_flows_find(flows, losses->count) : 0;
}
