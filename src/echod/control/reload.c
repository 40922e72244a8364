/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A reload: the whole of the next configuration, sockets and plans included, is built beside the
 * one in force. Only when nothing is missing do the workers get it; until then nothing has changed.
 */

#include "config.h"

#include "echod/control/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/log.h"
#include "daemon/notify.h"
#include "echod/config/load.h"
#include "echod/control/apply.h"
#include "echod/control/state.h"
#include "echod/control/supervision.h"
#include "echod/guard/session_tables.h"
#include "echod/worker/plan.h"
#include "echod/worker/worker.h"

/* What a reload prepares. */
struct next {
	struct config *config;
	struct socket_table *sockets; /* NULL: the sockets were handed over and stay */
	struct session_tables *sessions;
	struct plan **plans; /* one for each worker */
};

static void report(enum log_level level, const char *line)
{
	log_at(level, "%s", line);
}

static void warn_needs_restart(const char *key)
{
	log_warning("%s has changed: that takes effect at a restart", key);
}

/* Of those that the start knew it has logged so. */
static void log_not_opened(const struct config *now, const struct config *next)
{
	for (size_t i = 0; i < next->listener_count; i++) {
		const char *name = next->listeners[i].name;

		if (!config_listener(now, name))
			log_notice(
				"address and protocol of listener %s are not opened: the sockets "
				"are those that were handed over",
				name);
	}
}

static void next_clear(struct next *next, const struct server *server)
{
	for (size_t i = 0; next->plans && i < server->rounds.count; i++)
		plan_free(next->plans[i]);
	free(next->plans);
	session_tables_free(next->sessions);
	socket_table_discard(next->sockets, server->sockets);
	config_release(next->config);
}

static int prepare_plans(const struct server *server, struct next *next)
{
	const struct socket_table *table = next->sockets ? next->sockets : server->sockets;

	next->sessions = session_tables_new(next->config, server->sessions);
	next->plans = calloc(server->rounds.count, sizeof(struct plan *));
	if (!next->sessions || !next->plans)
		return -1;
	for (size_t i = 0; i < server->rounds.count; i++) {
		next->plans[i] =
			plan_new(next->config, table, next->sessions, i, server->rounds.count);
		if (!next->plans[i])
			return -1;
	}
	return 0;
}

/* Builds all of it, or logs what is missing. */
static int prepare(const struct server *server, struct next *next)
{
	struct config_source source = *server->source;
	struct reason reason;

	/* A file that was read at start and is gone now is a mistake, not a wish for defaults. */
	source.must_exist |= server->config->from_file;
	source.in_force = server->config;
	next->config = config_load(&source, report);
	if (!next->config)
		return -1;
	if (!server->sockets->handed) {
		next->sockets = socket_table_open(server->sockets, next->config,
						  server->rounds.count, &reason);
		if (!next->sockets) {
			log_error("%s", reason.text);
			return -1;
		}
	} else if (socket_table_check_modes(server->sockets, next->config, &reason) < 0) {
		log_error("%s", reason.text);
		return -1;
	}
	if (prepare_plans(server, next) < 0) {
		log_error("out of memory for the next configuration");
		return -1;
	}
	return 0;
}

/* All workers serve the next configuration. */
static void changed_over(void *arg)
{
	struct server *server = arg;

	if (server->phase != RELOADING)
		return; /* a stop came first */
	if (server->sockets_gone) {
		socket_table_announce_gone(server->sockets_gone, server->sockets);
		socket_table_free(server->sockets_gone);
		server->sockets_gone = NULL;
	}
	server->phase = SERVING;
	server->supervisor.reload_failed = false;
	server->totals.reloads_done++;
	log_notice("reloaded");
	supervision_ready(server);
}

/*
 * From here on it cannot fail. We release the sockets that are gone first: if we still held one
 * when its worker closed it, it would stay open and unserved.
 */
static void change_over(struct server *server, struct next *next)
{
	if (next->sockets) {
		server->sockets_gone = server->sockets;
		server->sockets = next->sockets;
		socket_table_announce(server->sockets, server->sockets_gone);
		socket_table_subtract(server->sockets_gone, server->sockets);
		socket_table_retire(server->sockets_gone);
		socket_table_release(server->sockets_gone);
	}
	for (size_t i = 0; i < server->rounds.count; i++)
		worker_give_plan(server->rounds.workers[i], next->plans[i]);
	free(next->plans);
	session_tables_free(server->sessions);
	server->sessions = next->sessions;
	config_release(server->config);
	server->config = next->config;
	apply_log_level(server);
	apply_client_limit(server);
	server->phase = RELOADING;
	rounds_ask(&server->rounds, changed_over, server);
}

void reload_begin(struct server *server)
{
	struct next next = {0};

	notify_reloading();
	if (prepare(server, &next) < 0) {
		next_clear(&next, server);
		server->totals.reloads_failed++;
		log_error("reload failed: the configuration in force stays");
		server->supervisor.reload_failed = true;
		supervision_ready(server);
		return;
	}
	config_compare(server->started_with, next.config, warn_needs_restart);
	if (server->sockets->handed)
		log_not_opened(server->config, next.config);
	change_over(server, &next);
}
