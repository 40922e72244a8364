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
#include "echod/control/phase.h"
#include "echod/control/rounds.h"
#include "echod/counters/totals.h"
#include "echod/serving/loop.h"
#include "echod/sockets/socket_table.h"

struct event_base;
struct monitor;

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
	struct rounds rounds;

	enum phase phase;
	bool reload_failed; /* the last one */
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
	struct totals totals;				      /* as of the last round */
	char status[sizeof(RELOAD_FAILED) + STATUS_TEXT_MAX]; /* as last told */
};

/* Adds the events that control lives on; -1 when there is no memory. */
int control_init(struct server *server) WARN_UNUSED;
void control_clear(struct server *server);

/* Asks the workers for the first time. */
void control_start(struct server *server);

void control_tell_ready(struct server *server);

/* What follows from the configuration in force outside of the workers. */
void control_set_log_level(const struct server *server);
void control_set_client_limit(struct server *server);

/* Loads the configuration anew and gives it to the workers; has begun serving it when all have it. */
void reload_begin(struct server *server);

#endif
