/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The state of the control thread. server.c builds it and takes it apart; control.c, reload.c and
 * stop.c change it.
 */

#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/bell.h"
#include "daemon/signals.h"
#include "daemon/supervisor.h"
#include "echod/config/configuration.h"
#include "echod/control/phase.h"
#include "echod/control/rounds.h"
#include "echod/counters/totals.h"
#include "echod/serving/loop.h"
#include "echod/sockets/socket_table.h"

struct event_base;
struct monitor;
struct session_tables;

struct server {
	const struct config_source *source; /* for each reload */
	unsigned verbose;		    /* how often -v was given */
	struct config *config;		    /* in force */
	struct config *started_with;	    /* what needs a restart is compared with this */
	struct socket_table *sockets;
	struct socket_table *sockets_gone; /* RELOADING: what the workers are closing */
	struct listen_socket *metrics;	   /* NULL: not wanted */
	struct session_tables *sessions;
	struct shared_tables shared;
	struct rounds rounds;
	struct totals totals; /* as of the last round */

	enum phase phase;
	bool aborting;		 /* STOPPING: connections are being reset */
	int64_t started_at;	 /* by clock_ms() */
	int64_t stopping_since;	 /* likewise */
	uint64_t descriptors;	 /* how many we may have */
	uint64_t clients_wanted; /* max_clients when the limit was last set */

	struct event_base *base;
	struct monitor *monitor; /* NULL: not wanted */
	int answer_fd;
	struct bell answer;
	struct event signals[SIGNAL_COUNT];
	struct event drain_timer;
	struct event flood_timer; /* pending while connections are logged */
	struct supervisor supervisor;
};
