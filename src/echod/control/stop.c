/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stop.h. Called by control. */

#include "config.h"

#include "echod/control/stop.h"

#include <event2/event.h>
#include <inttypes.h>

#include "base/clock.h"
#include "base/events.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "echod/control/state.h"
#include "echod/guard/client_table.h"
#include "echod/worker/worker.h"

/* timeout(1), shells and service managers may signal both the process and its group. */
#define SAME_SIGNAL_MS 200

/* What we ask the service manager to wait beyond drain_timeout. */
#define STOP_MARGIN_USEC (5 * UINT64_C(1000000))

static void stop_workers(struct server *server, bool abort)
{
	server->aborting = abort;
	if (abort)
		event_del(&server->drain_timer);
	rounds_stop_workers(&server->rounds, abort);
}

/*
 * Connections end only now that nothing listens any more: a client that reconnects at once must not
 * be disconnected a second time.
 */
static void all_closed(void *arg)
{
	struct server *server = arg;

	if (!server->aborting)
		stop_workers(server, false);
}

static void on_drained_out(int fd UNUSED, short what UNUSED, void *arg)
{
	struct server *server = arg;

	uint64_t left = client_table_count(server->shared.clients);

	log_notice("drain_timeout expired: resetting %" PRIu64 " connection%s", left,
		   left == 1 ? "" : "s");
	stop_workers(server, true);
}

static void begin_stop(struct server *server)
{
	uint64_t drain_ms = server->config->server.drain_timeout;
	struct timeval limit = timeval_from_ms(drain_ms);
	uint64_t left = client_table_count(server->shared.clients);

	log_notice("stopping: %" PRIu64 " connection%s", left, left == 1 ? "" : "s");
	notify_stopping(drain_ms * 1000 + STOP_MARGIN_USEC);
	server->phase = STOPPING;
	server->stopping_since = clock_ms();
	/* We release ours first, so that a worker that has emptied a socket closes it. */
	socket_table_release(server->sockets);
	for (size_t i = 0; i < server->rounds.count; i++)
		worker_close(server->rounds.workers[i]);
	rounds_ask(&server->rounds, all_closed, server);
	event_assign(&server->drain_timer, server->base, -1, 0, on_drained_out, server);
	/* If the timer cannot be added, abort now. */
	if (drain_ms == 0 || event_add(&server->drain_timer, &limit) < 0)
		stop_workers(server, true);
}

void stop_on_signal(struct server *server)
{
	if (server->phase != STOPPING) {
		begin_stop(server);
	} else if (!server->aborting && clock_ms() - server->stopping_since >= SAME_SIGNAL_MS) {
		log_notice("stopping now");
		stop_workers(server, true);
	}
}
