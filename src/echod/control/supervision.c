/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See supervision.h. Called by control and by a reload. */

#include "config.h"

#include "echod/control/supervision.h"

#include "daemon/notify.h"
#include "echod/control/state.h"

void supervision_ready(struct server *server)
{
	char text[STATUS_TEXT_MAX];

	totals_status(&server->totals, text);
	supervisor_ready(&server->supervisor, text);
}

static void update_status(void *arg)
{
	struct server *server = arg;
	char text[STATUS_TEXT_MAX];

	totals_status(&server->totals, text);
	supervisor_status(&server->supervisor, text);
}

static void on_status_due(void *arg)
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

static void on_watchdog_due(void *arg)
{
	struct server *server = arg;

	rounds_ask(&server->rounds, ping_watchdog, server);
}

int supervision_init(struct server *server)
{
	return supervisor_init(&server->supervisor, server->base, on_status_due, on_watchdog_due,
			       server);
}
