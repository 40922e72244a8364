/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One listening or datagram socket. Control opens it (or was handed it) and lends it to the workers
 * that serve it; the last reference closes it.
 */

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"
#include "echod/sockets/socket_kind.h"
#include "echod/sockets/unix_socket.h"

struct listen_socket {
	atomic_uint references;
	int fd;
	enum socket_kind kind;
	bool handed;		/* by the service manager: its queue is left to the next instance */
	atomic_bool early;	/* connections may wait here since before the socket was ours */
	struct address address; /* as bound, with the real port */
	struct unix_file file;	/* of a unix socket that we made */
	atomic_size_t watcher;	/* of a socket that workers share: who watches it (endpoint.h) */
	uint64_t drops;		/* as of the last time the kernel was asked, */
	uint32_t kernel_drops;	/* and its own count then, which may be older than we are */
};

/*
 * Opens, binds and listens. NULL on failure, with errno, and REASON for the log: what was tried and
 * what would help.
 */
struct listen_socket *listen_socket_open(enum socket_kind kind, const struct address *address,
					 struct reason *reason) WARN_UNUSED;

/* Takes over a descriptor that is bound already, and sets on it what we need; NULL as above. */
struct listen_socket *listen_socket_adopt(int fd, enum socket_kind kind,
					  struct reason *reason) WARN_UNUSED;

/*
 * Whether the address is free, found out by binding it without SO_REUSEPORT: with it a second
 * daemon would silently share the traffic. 0, or -1 with errno and REASON.
 */
int listen_socket_probe(enum socket_kind kind, const struct address *address,
			struct reason *reason) WARN_UNUSED;

struct listen_socket *listen_socket_hold(struct listen_socket *socket);
void listen_socket_release(struct listen_socket *socket);

/*
 * From now on the kernel gives what comes for its address to other sockets, or refuses it; what
 * waits here already stays. For a socket that is about to be closed.
 */
void listen_socket_retire(const struct listen_socket *socket);

/* Removes the file of a unix socket that we made, if it is still ours. */
void listen_socket_unlink(const struct listen_socket *socket);

/* A unix socket that can no longer be reached: its file was removed or replaced. */
bool listen_socket_lost_file(const struct listen_socket *socket);

/*
 * Datagrams the kernel dropped here: our receive buffer was full, or the checksum wrong. Its count
 * has 32 bits, ours goes on. Called by control, and when it is closed.
 */
uint64_t listen_socket_drops(struct listen_socket *socket);

/* The same of all sockets that this process has closed. */
uint64_t listen_socket_drops_of_closed(void);
