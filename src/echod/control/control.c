/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The life of the control thread: what signals, the workers' answers and the timers lead to.
 * Nothing here is on the path of a message.
 */

#include "config.h"

#include "echod/control/state.h"

#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/http/http.h"
#include "daemon/log.h"
#include "daemon/notify.h"
#include "echod/control/monitor.h"
#include "echod/guard/client_table.h"
#include "echod/worker/worker.h"

#define STATUS_EVERY_S 10
#define CLIENTS_MAX 1048576

/* timeout(1), shells and service managers signal the process and its group: twice for one wish. */
#define SAME_SIGNAL_MS 200

/* Descriptors for what is not a client: the log, loops, a file being read, and some to spare. */
#define DESCRIPTORS_KEPT 32
#define DESCRIPTORS_PER_WORKER 5 /* an eventfd, the loop's three, a client about to be refused */
#define DESCRIPTORS_FOR_METRICS (HTTP_CLIENTS_MAX + 1)

/* What the service manager grants us beyond drain_timeout until it loses patience. */
#define STOP_MARGIN_USEC (5 * UINT64_C(1000000))

static void collect(struct server *server)
{
	struct totals *totals = &server->totals;

	rounds_sum(&server->rounds, totals->counters);
	totals->started_ms = server->started_ms;
	totals->workers = server->rounds.count;
	totals->connections = client_table_count(server->shared.clients);
	totals->connections_max = client_table_limit(server->shared.clients);
	totals->kernel_drops = socket_table_drops(server->sockets);
	totals->reloads_done = server->reloads_done;
	totals->reloads_failed = server->reloads_failed;
}

static void make_status(struct server *server)
{
	char text[STATUS_TEXT_MAX];

	totals_status(&server->totals, text);
	(void)snprintf(server->status, sizeof(server->status), "%s%s",
		       server->reload_failed ? RELOAD_FAILED : "", text);
}

void control_tell_ready(struct server *server)
{
	make_status(server);
	notify_ready(server->status);
}

/* How many clients leave enough descriptors for a reload and for the metrics. */
static uint64_t clients_possible(const struct server *server)
{
	uint64_t kept = DESCRIPTORS_KEPT + socket_table_sockets(server->sockets) +
			server->rounds.count * DESCRIPTORS_PER_WORKER +
			(server->metrics ? DESCRIPTORS_FOR_METRICS : 0);

	return server->descriptors > kept ? server->descriptors - kept : 1;
}

static void warn_of_few(uint64_t wanted, uint64_t possible)
{
	if (wanted > possible)
		log_warning("max_clients is %" PRIu64 ", but descriptors allow only %" PRIu64
			    " clients: raise LimitNOFILE= (ulimit -n)",
			    wanted, possible);
	else if (wanted == 0 && possible == 1)
		log_warning("descriptors allow only 1 client: raise LimitNOFILE= (ulimit -n)");
}

void control_set_log_level(const struct server *server)
{
	enum log_level level = (enum log_level)server->config->server.log_level;

	if (server->options->verbose == 1)
		level = LEVEL_INFO;
	else if (server->options->verbose > 1)
		level = LEVEL_DEBUG;
	log_set_level(level);
}

void control_set_client_limit(struct server *server)
{
	uint64_t before = client_table_limit(server->shared.clients);
	uint64_t wanted = server->config->server.max_clients;
	uint64_t possible = clients_possible(server);
	uint64_t most = wanted == 0 ? CLIENTS_MAX : wanted;
	uint64_t limit = most < possible ? most : possible;

	if (limit != before || wanted != server->clients_wanted)
		warn_of_few(wanted, possible);
	server->clients_wanted = wanted;
	client_table_set_limit(server->shared.clients, limit);
}

static void stop_workers(struct server *server, bool abort)
{
	server->aborting = abort;
	if (abort)
		event_del(&server->drain_timer);
	rounds_stop_workers(&server->rounds, abort);
}

/*
 * Only now do connections end: a client that connects again at once must find nobody here, lest it
 * is sent away a second time.
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

	log_notice("drain_timeout is over: resetting %" PRIu64 " connections",
		   client_table_count(server->shared.clients));
	stop_workers(server, true);
}

static void begin_stop(struct server *server)
{
	uint64_t drain_ms = server->config->server.drain_timeout;
	struct timeval limit = {.tv_sec = (time_t)(drain_ms / 1000),
				.tv_usec = (suseconds_t)(drain_ms % 1000 * 1000)};

	log_notice("stopping: %" PRIu64 " connections", client_table_count(server->shared.clients));
	notify_stopping(drain_ms * 1000 + STOP_MARGIN_USEC);
	server->phase = STOPPING;
	server->stopping_since = clock_ms();
	/* Ours to let go of, so that each worker closes what it has emptied. */
	socket_table_release(server->sockets);
	for (size_t i = 0; i < server->rounds.count; i++)
		worker_close(server->rounds.workers[i]);
	rounds_ask(&server->rounds, all_closed, server);
	/* No memory for a timer must not mean for ever. */
	if (drain_ms == 0 || event_add(&server->drain_timer, &limit) < 0)
		stop_workers(server, true);
}

static void on_stop_signal(struct server *server)
{
	if (server->phase != STOPPING) {
		begin_stop(server);
	} else if (!server->aborting && clock_ms() - server->stopping_since >= SAME_SIGNAL_MS) {
		log_notice("stopping now");
		stop_workers(server, true);
	}
}

/* During a start or another reload: once that is over. */
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
	log_write(LEVEL_NOTICE, "%s", text); /* was asked for, so at any level */
}

static void tell_status(void *arg)
{
	struct server *server = arg;
	char before[sizeof(server->status)];

	memcpy(before, server->status, sizeof(before));
	make_status(server);
	if (strcmp(before, server->status) != 0)
		notify_status(server->status);
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
		on_stop_signal(server);
	}
}

/* The first answers: every socket listens, every worker runs. */
static void started(void *arg)
{
	struct server *server = arg;

	if (server->phase != STARTING)
		return; /* stopped before */
	server->phase = SERVING;
	socket_table_announce(server->sockets, NULL);
	if (server->metrics)
		monitor_announce(server->metrics);
	control_tell_ready(server);
}

void control_start(struct server *server)
{
	rounds_ask(&server->rounds, started, server);
}

static void on_answer(void *arg)
{
	struct server *server = arg;
	size_t ended;

	if (!rounds_over(&server->rounds))
		return;
	collect(server);
	rounds_call_waiting(&server->rounds);
	/* One that ends by itself has failed, and would leave its share of the clients unserved. */
	ended = rounds_ended_workers(&server->rounds);
	if (ended >= (server->phase == STOPPING ? server->rounds.count : 1))
		event_base_loopbreak(server->base);
}

static void on_status_timer(int fd UNUSED, short what UNUSED, void *arg)
{
	struct server *server = arg;

	rounds_ask(&server->rounds, tell_status, server);
}

/*
 * A sign of life when every worker's loop has given one, whoever else may be asking meanwhile, and
 * can receive.
 */
static void give_sign_of_life(void *arg)
{
	const struct server *server = arg;

	if (server->totals.counters[DEAF_SOCKETS] == 0)
		notify_watchdog();
}

static void on_watchdog_timer(int fd UNUSED, short what UNUSED, void *arg)
{
	struct server *server = arg;

	rounds_ask(&server->rounds, give_sign_of_life, server);
}

static int add_timers(struct server *server)
{
	struct timeval status = {.tv_sec = STATUS_EVERY_S};
	uint64_t usec = notify_watchdog_usec() / 4; /* three may be late before it bites */
	struct timeval watchdog = {.tv_sec = (time_t)(usec / 1000000),
				   .tv_usec = (suseconds_t)(usec % 1000000)};

	event_assign(&server->drain_timer, server->base, -1, 0, on_drained_out, server);
	event_assign(&server->status_timer, server->base, -1, EV_PERSIST, on_status_timer, server);
	event_assign(&server->watchdog_timer, server->base, -1, EV_PERSIST, on_watchdog_timer,
		     server);
	if (notify_wanted() && event_add(&server->status_timer, &status) < 0)
		return -1;
	return usec > 0 ? event_add(&server->watchdog_timer, &watchdog) : 0;
}

int control_init(struct server *server)
{
	notify_attach(server->base);
	if (bell_hang(&server->answer, server->base, server->answer_fd, on_answer, server) < 0)
		return -1;
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		evsignal_assign(&server->signals[i], server->base, signals_served[i], on_signal,
				server);
		if (event_add(&server->signals[i], NULL) < 0)
			return -1;
	}
	return add_timers(server);
}

void control_clear(struct server *server)
{
	if (!server->base)
		return;
	notify_detach();
	for (size_t i = 0; i < SIGNAL_COUNT; i++) {
		if (event_initialized(&server->signals[i]))
			event_del(&server->signals[i]);
	}
	bell_remove(&server->answer);
}
