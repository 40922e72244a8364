/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Connects flows over TCP before the first probe. Some may take a path that loses everything: these
 * try again with each probe, and must not keep the others from starting. Owns nothing; flows.c
 * calls it.
 */

#include "config.h"

#include "echoc/flows/flow_set.h"

#include "base/events.h"

#define BATCH 64 /* at once, so that no backlog overflows */
#define LOOK (2 * NS_PER_MS)
#define SLOW (100 * NS_PER_MS) /* who takes that long no longer holds up the others */

static size_t count_connecting(const struct flows *flows, uint64_t now, uint64_t patience)
{
	size_t connecting = 0;

	for (size_t i = 0; i < flows->begun; i++) {
		const struct link *link = &flows->ports[i].link;

		connecting +=
			link->fd < 0 && link_is_connecting(link) && now - link->tried < patience;
	}
	return connecting;
}

static void begin_some(struct flows *flows, uint64_t now)
{
	size_t connecting = count_connecting(flows, now, SLOW);

	while (flows->begun < flows->count && connecting++ < BATCH)
		link_connect(&flows->ports[flows->begun++].link, now);
}

static void on_look(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct flows *flows = context;
	uint64_t now = clock_ns();

	begin_some(flows, now);
	if (flows->begun == flows->count && count_connecting(flows, now, flows_timeout(flows)) == 0)
		flows->connected(flows);
	else
		(void)events_arm(&flows->connect_timer, now + LOOK);
}

int flows_connect(struct flows *flows)
{
	evtimer_assign(&flows->connect_timer, flows->base, on_look, flows);
	return events_arm(&flows->connect_timer, 0);
}
