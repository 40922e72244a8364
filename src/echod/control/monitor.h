/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The metrics endpoint as control has it: its socket, what its paths lead to, and the once-a-second
 * look at figures and workers that it needs. Nothing of this exists unless metrics are asked for.
 */

#ifndef ECHOD_CONTROL_MONITOR_H
#define ECHOD_CONTROL_MONITOR_H

#include <stddef.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"

struct handed_socket;
struct listen_socket;
struct monitor;
struct server;

/* What a handed socket is called that shall serve metrics. */
#define MONITOR_NAME "metrics"

/*
 * Takes the one named so out of HANDED, into *SOCKET, which stays NULL when there is none. The
 * caller owns both. -1 when there is more than one, or nothing else.
 */
int monitor_take(struct listen_socket **socket, struct handed_socket *handed, size_t *count,
		 struct reason *reason) WARN_UNUSED;

/* Opens the socket; NULL with errno and REASON when it cannot be had. */
struct listen_socket *monitor_open(const struct address *address,
				   struct reason *reason) WARN_UNUSED;

/* Starts serving on control's base; the socket stays the server's. NULL when there is no memory. */
struct monitor *monitor_new(struct server *server, const struct listen_socket *socket) WARN_UNUSED;
void monitor_free(struct monitor *monitor);

/* All workers have answered, and the figures are new. */
void monitor_collected(struct monitor *monitor);

/* One line that says where, and a warning when everybody may read it. */
void monitor_announce(const struct listen_socket *socket);

#endif
