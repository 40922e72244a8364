/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The metrics endpoint as control has it: its socket, what its paths lead to, and the sample of the
 * totals that it takes each second. Nothing of this exists unless metrics are asked for.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"
#include "echod/control/phase.h"

struct config;
struct event_base;
struct handed_socket;
struct listen_socket;
struct monitor;
struct rounds;
struct socket_table;
struct totals;

/* The name of the handed socket that serves metrics. */
#define MONITOR_NAME "metrics"

/* What it sees of the daemon. */
struct monitor_view {
	struct rounds *rounds; /* each makes the totals fresh */
	const struct totals *totals;
	const enum phase *phase;
	struct config *const *config; /* which one is in force */
	struct socket_table *const *sockets;
	int64_t started_at; /* by clock_ms() */
};

/*
 * Takes the one named so out of HANDED, into *SOCKET, which stays NULL when there is none. The
 * caller owns both. -1 when there is more than one, or nothing else.
 */
int monitor_take(struct listen_socket **socket, struct handed_socket *handed, size_t *count,
		 struct reason *reason) WARN_UNUSED;

/* Opens the socket; NULL with errno and REASON when it cannot be had. */
struct listen_socket *monitor_open(const struct address *address,
				   struct reason *reason) WARN_UNUSED;

/*
 * Starts serving on control's BASE. The socket and what VIEW points to stay the caller's. NULL when
 * there is no memory.
 */
struct monitor *monitor_new(struct event_base *base, const struct listen_socket *socket,
			    const struct monitor_view *view) WARN_UNUSED;
void monitor_free(struct monitor *monitor);

/* Logs where metrics are served, with a warning unless that is on loopback. */
void monitor_announce(const struct listen_socket *socket);
