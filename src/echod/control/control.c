/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See control.h. SIGHUP is in reload.c, SIGTERM in stop.c. Nothing here is on a message's path. */

#include "config.h"

#include "echod/control/control.h"

#include <event2/event.h>
#include <signal.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "daemon/sandbox/refused_call.h"
#include "daemon/signals.h"
#include "echod/confinement/confinement.h"
#include "echod/control/monitor.h"
#include "echod/control/reload.h"
#include "echod/control/state.h"
#include "echod/control/stop.h"
#include "echod/control/supervision.h"
#include "echod/guard/client_table.h"
#include "echod/guard/session_tables.h"
#include "echod/stream/connection_log.h"

static void collect(struct server *server)
{
	struct totals *totals = &server->totals;

	rounds_sum(&server->rounds, totals->counters);
	totals->connections = client_table_count(server->shared.clients);
	totals->connections_max = client_table_limit(server->shared.clients);
	totals->stamp_sessions = session_tables_count(server->sessions, (int64_t)clock_ns());
	totals->kernel_drops = socket_table_drops(server->sockets);
	totals->refused_calls = refused_calls();
}

/* During a start or another reload it waits until that is over. */
static void on_hangup(void *arg)
{
	struct server *server = arg;

	if (server->phase == SERVING)
		reload_begin(server);
	else if (server->phase != STOPPING)
		rounds_ask(&server->rounds, on_hangup, server);
}

static void log_totals(void *arg)
{
	const struct server *server = arg;
	char text[TOTALS_TEXT_MAX];

	totals_line(&server->totals, text);
	log_write(LEVEL_NOTICE, "%s", text); /* it was asked for, so at any level */
}

static void on_signal(int number, short what UNUSED, void *arg)
{
	struct server *server = arg;

	switch (number) {
	case SIGHUP:
		on_hangup(server);
		break;
	case SIGUSR1:
		rounds_ask(&server->rounds, log_totals, server);
		break;
	default:
		stop_on_signal(server);
	}
}

/* Every socket listens and every worker runs. */
static void started(void *arg)
{
	struct server *server = arg;

	if (server->phase != STARTING)
		return; /* a stop came first */
	server->phase = SERVING;
	socket_table_announce(server->sockets, NULL);
	if (server->metrics)
		monitor_announce(server->metrics);
	supervision_ready(server);
}

void control_start(struct server *server)
{
	rounds_ask(&server->rounds, started, server);
}

static void on_answer(void *arg)
{
	struct server *server = arg;
	size_t ended;

	confinement_report();
	if (!rounds_over(&server->rounds))
		return;
	collect(server);
	rounds_call_waiting(&server->rounds);
	/* A worker that ends by itself has failed, and its clients would no longer be served. */
	ended = rounds_ended_workers(&server->rounds);
	if (ended >= (server->phase == STOPPING ? server->rounds.count : 1))
		event_base_loopbreak(server->base);
}

/* The end of a flood of lines about connections, which no further line reports. */
static void on_flood_timer(int fd UNUSED, short what UNUSED, void *arg)
{
	struct server *server = arg;

	connection_log_rest(&server->shared, clock_ms());
}

int control_init(struct server *server)
{
	event_assign(&server->flood_timer, server->base, -1, EV_PERSIST, on_flood_timer, server);
	if (bell_hang(&server->answer, server->base, server->answer_fd, on_answer, server) < 0)
		return -1;
	if (signals_attach(server->signals, server->base, on_signal, server) < 0)
		return -1;
	return supervision_init(server);
}

void control_clear(struct server *server)
{
	if (!server->base)
		return;
	notify_detach();
	signals_detach(server->signals);
	bell_remove(&server->answer);
}
