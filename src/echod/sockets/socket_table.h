/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Every socket the daemon listens on, as control sees them: opened for a configuration or handed
 * over by the service manager. A reload opens the next table beside the one in force, so that
 * nothing has changed when an address cannot be had. Owns its references to the sockets.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "daemon/activation.h"
#include "echod/config/configuration.h"
#include "echod/guard/guard.h"
#include "echod/sockets/listen_socket.h"

/*
 * One socket address and protocol: a socket for each worker, one for all of them, or as many as
 * the service manager handed over.
 */
struct binding {
	char listener[HANDED_NAME_MAX + 1]; /* whose settings apply, by name */
	enum socket_kind kind;
	struct listen_address written; /* as in the file: port 0 is still 0 */
	bool optional;		       /* one family of `*` or `localhost`, which may be absent */
	struct address address;	       /* once open: the real one */
	struct listen_socket **sockets;
	size_t socket_count;
};

struct socket_table {
	struct binding *bindings;
	size_t count;
	bool handed;
};

/*
 * The sockets that CONFIG asks for, those of HELD that it shares kept as they are (HELD may be
 * NULL). NULL with REASON and errno when one cannot be had; HELD is as it was.
 */
struct socket_table *socket_table_open(const struct socket_table *held, const struct config *config,
				       size_t workers, struct reason *reason) WARN_UNUSED;

/* The sockets that were handed over; takes their descriptors. NULL as above. */
struct socket_table *socket_table_adopt(const struct handed_socket *handed, size_t count,
					struct reason *reason) WARN_UNUSED;

/*
 * Whether each socket that was handed over is of a kind that the mode of its listener serves: 0, or
 * -1 with REASON.
 */
int socket_table_check_modes(const struct socket_table *table, const struct config *config,
			     struct reason *reason) WARN_UNUSED;

/* Leaves in HELD only what NEXT does not have. */
void socket_table_subtract(struct socket_table *held, const struct socket_table *next);

/* Leaves what comes from now on to other sockets with these addresses. */
void socket_table_retire(const struct socket_table *table);

/* Lets go of all sockets, so that each worker closes its own as soon as nothing waits there. */
void socket_table_release(struct socket_table *table);
void socket_table_free(struct socket_table *table);

/* Gives up sockets that were opened for nothing, files too, but for those that HELD has as well. */
void socket_table_discard(struct socket_table *next, const struct socket_table *held);

/* Whether worker number WORKER of WORKERS serves socket number SOCKET of binding number INDEX. */
bool socket_table_assigns(const struct socket_table *table, size_t index, size_t socket,
			  size_t worker, size_t workers);

/* "listening on tcp 0.0.0.0:7" for what HELD (or NULL) does not have. */
void socket_table_announce(const struct socket_table *table, const struct socket_table *held);

/* "stopped serving tcp 0.0.0.0:7" for all of it that NEXT does not serve. */
void socket_table_announce_gone(const struct socket_table *gone, const struct socket_table *next);

/* Marks the ports served over UDP as sources that get no answer. */
void socket_table_refuse_ports(const struct socket_table *table, struct guard_ports *ports);

size_t socket_table_sockets(const struct socket_table *table);

/* What the kernel dropped at these and at all sockets that were closed before. */
uint64_t socket_table_drops(const struct socket_table *table);
