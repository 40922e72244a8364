/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See apply.h. Called at start and by a reload. */

#include "config.h"

#include "echod/control/apply.h"

#include <event2/event.h>
#include <inttypes.h>

#include "daemon/http/http.h"
#include "daemon/log.h"
#include "echod/control/state.h"
#include "echod/guard/client_table.h"

#define CLIENTS_MAX 1048576

/* Descriptors that are not clients: the log, loops, a file being read, and some to spare. */
#define DESCRIPTORS_KEPT 32
#define DESCRIPTORS_PER_WORKER 5 /* an eventfd, the loop's three, a client about to be refused */
#define DESCRIPTORS_FOR_METRICS (HTTP_CLIENTS_MAX + 1)

/* How many clients leave enough descriptors for a reload and for the metrics. */
static uint64_t clients_possible(const struct server *server)
{
	uint64_t kept = DESCRIPTORS_KEPT + socket_table_sockets(server->sockets) +
			server->rounds.count * DESCRIPTORS_PER_WORKER +
			(server->metrics ? DESCRIPTORS_FOR_METRICS : 0);

	return server->descriptors > kept ? server->descriptors - kept : 1;
}

static void warn_if_too_few(uint64_t wanted, uint64_t possible)
{
	if (wanted > possible)
		log_warning("max_clients is %" PRIu64 ", but descriptors allow only %" PRIu64
			    " clients: raise LimitNOFILE= (ulimit -n)",
			    wanted, possible);
	else if (wanted == 0 && possible == 1)
		log_warning("descriptors allow only 1 client: raise LimitNOFILE= (ulimit -n)");
}

void apply_log_level(struct server *server)
{
	static const struct timeval second = {.tv_sec = 1};
	enum log_level level = (enum log_level)server->config->server.log_level;

	if (server->verbose == 1)
		level = LEVEL_INFO;
	else if (server->verbose > 1)
		level = LEVEL_DEBUG;
	log_set_level(level);
	if (!event_initialized(&server->flood_timer))
		return;
	/* If it cannot be added, the next line or the stop reports how many were suppressed. */
	if (level < LEVEL_INFO)
		event_del(&server->flood_timer);
	else
		(void)event_add(&server->flood_timer, &second);
}

void apply_client_limit(struct server *server)
{
	uint64_t before = client_table_limit(server->shared.clients);
	uint64_t wanted = server->config->server.max_clients;
	uint64_t possible = clients_possible(server);
	uint64_t most = wanted == 0 ? CLIENTS_MAX : wanted;
	uint64_t limit = most < possible ? most : possible;

	if (limit != before || wanted != server->clients_wanted)
		warn_if_too_few(wanted, possible);
	server->clients_wanted = wanted;
	client_table_set_limit(server->shared.clients, limit);
}
