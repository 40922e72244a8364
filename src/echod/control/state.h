/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The state of the control thread, and the parts it is made of: server.c builds and takes apart,
 * control.c lives through signals, answers and timers, reload.c changes the configuration.
 */

#ifndef ECHOD_CONTROL_STATE_H
#define ECHOD_CONTROL_STATE_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/bell.h"
#include "daemon/signals.h"
#include "echod/config/configuration.h"
#include "echod/config/options.h"
#include "echod/counters/totals.h"
#include "echod/serving/loop.h"
#include "echod/sockets/socket_table.h"

struct event_base;
struct monitor;
struct worker;

enum phase {
	STARTING, /* waiting for the workers' first answer */
	SERVING,
	RELOADING, /* waiting for the workers to have changed over */
	STOPPING
};

/* systemctl reload does not learn of a failure that only we could meet; its status line tells. */
#define RELOAD_FAILED "the last reload failed, the log says why; "

struct server {
	const struct options *options;
	struct config *config;	     /* in force */
	struct config *started_with; /* what needs a restart is compared with this */
	struct socket_table *sockets;
	struct socket_table *sockets_gone; /* RELOADING: what the workers are letting go of */
	uint64_t descriptors;		   /* how many there may be */
	uint64_t clients_wanted;	   /* max_clients, as of when the limit was last set */
	uint64_t started_ms;		   /* since the epoch */
	int64_t started_at;		   /* by clock_ms() */
	int64_t stopping_since;		   /* likewise */
	struct listen_socket *metrics;	   /* NULL: not wanted */

	struct shared_tables shared;
	struct worker **workers;
	size_t worker_count;
	size_t heard; /* how many, from the first one on, have answered the last question */

	enum phase phase;
	bool reload_again;  /* asked for while one was under way */
	bool reload_failed; /* the last one */
	bool closed;	    /* STOPPING: nobody listens any more */
	bool aborting;	    /* STOPPING: the rest is being reset */
	uint64_t reloads_done;
	uint64_t reloads_failed;

	struct event_base *base;
	struct monitor *monitor; /* serves the metrics, if wanted */
	int answer_fd;
	struct bell answer;
	struct event signals[SIGNAL_COUNT];
	struct event drain_timer;
	struct event status_timer;
	struct event watchdog_timer;
	struct totals totals; /* as of the last time that everybody had answered */
	bool log_wanted;      /* at the next such time: the line of counters, */
	bool status_wanted;   /* the status for the service manager, */
	bool watchdog_wanted; /* a sign of life for it */
	char status[sizeof(RELOAD_FAILED) + STATUS_TEXT_MAX]; /* as last told */
};

/* Adds the events that control lives on; -1 when there is no memory. */
int control_init(struct server *server) WARN_UNUSED;
void control_clear(struct server *server);

/* Everybody has answered what was asked last, or has ended. */
bool control_all_answered(struct server *server);
void control_ask_all(struct server *server);
void control_tell_ready(struct server *server);

/* What follows from the configuration in force outside of the workers. */
void control_set_log_level(const struct server *server);
void control_set_client_limit(struct server *server);

/* Loads the configuration anew and hands it to the workers; reload_finish when all have it. */
void reload_begin(struct server *server);
void reload_finish(struct server *server);

#endif
