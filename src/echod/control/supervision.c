/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See supervision.h. Called by control and by a reload. */

#include "config.h"

#include "echod/control/supervision.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/events.h"
#include "daemon/notify.h"
#include "echod/control/state.h"

#define STATUS_EVERY_S 10

static void make_status(struct server *server)
{
	char text[STATUS_TEXT_MAX];

	totals_status(&server->totals, text);
	(void)snprintf(server->status, sizeof(server->status), "%s%s",
		       server->reload_failed ? RELOAD_FAILED : "", text);
}

void supervision_ready(struct server *server)
{
	make_status(server);
	notify_ready(server->status);
}

static void update_status(void *arg)
{
	struct server *server = arg;
	char before[sizeof(server->status)];

	memcpy(before, server->status, sizeof(before));
	make_status(server);
	if (strcmp(before, server->status) != 0)
		notify_status(server->status);
}

static void on_status_timer(int fd UNUSED, short what UNUSED, void *arg)
{
	struct server *server = arg;

	rounds_ask(&server->rounds, update_status, server);
}

/* We are alive when every worker has answered, and none has a socket that cannot receive. */
static void ping_watchdog(void *arg)
{
	const struct server *server = arg;

	if (server->totals.counters[DEAF_SOCKETS] == 0)
		notify_watchdog();
}

static void on_watchdog_timer(int fd UNUSED, short what UNUSED, void *arg)
{
	struct server *server = arg;

	rounds_ask(&server->rounds, ping_watchdog, server);
}

int supervision_init(struct server *server)
{
	struct timeval status = {.tv_sec = STATUS_EVERY_S};
	uint64_t usec = notify_watchdog_usec() / 4; /* three may be late before it fires */
	struct timeval watchdog = timeval_from_us(usec);

	notify_attach(server->base);
	event_assign(&server->status_timer, server->base, -1, EV_PERSIST, on_status_timer, server);
	event_assign(&server->watchdog_timer, server->base, -1, EV_PERSIST, on_watchdog_timer,
		     server);
	if (notify_wanted() && event_add(&server->status_timer, &status) < 0)
		return -1;
	return usec > 0 ? event_add(&server->watchdog_timer, &watchdog) : 0;
}
