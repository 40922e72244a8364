/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See listen_socket.h. Opens, probes and adopts the sockets that clients come to. */

#include "config.h"

#include "echod/sockets/listen_socket.h"

#include <errno.h>
#include <limits.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "echod/sockets/inet_socket.h"
#include "echod/sockets/socket_options.h"
#include "echod/sockets/unix_socket.h"

/* What was dropped at a socket is added here when it is closed, or the sum would fall. */
static _Atomic uint64_t drops_of_closed;

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* What would help, as far as the error shows. */
static const char *advice(enum socket_kind kind, int error)
{
	switch (error) {
	case EADDRINUSE:
		return ": another program has it; stop that one or choose another address "
		       "(ss -lntuxp shows who)";
	case EMFILE:
		return ": raise LimitNOFILE= (ulimit -n)";
	case EAFNOSUPPORT:
		return ": this kernel does not have that protocol family";
	default:
		return socket_is_unix(kind) ? unix_socket_advice(error) : inet_socket_advice(error);
	}
}

/* Sets REASON: what failed, with which address; keeps errno for the caller. */
static void explain(struct reason *reason, const char *step, enum socket_kind kind,
		    const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	int error = errno;

	reason_set(reason, "cannot listen on %s %s: %s: %s%s", socket_kind_names[kind],
		   address_format(address, text), step, strerror(error), advice(kind, error));
	errno = error;
}

static struct listen_socket *wrap(int fd, enum socket_kind kind)
{
	struct listen_socket *socket = calloc(1, sizeof(*socket));

	if (!socket)
		return NULL;
	socket->references = 1;
	socket->fd = fd;
	socket->kind = kind;
	socket->address.length = sizeof(socket->address.un);
	if (getsockname(fd, &socket->address.sa, &socket->address.length) < 0) {
		free(socket);
		return NULL;
	}
	return socket;
}

/* The socket, open and bound; -1 with errno and the call that failed in STEP. */
static int open_socket(enum socket_kind kind, const struct address *address, struct unix_file *file,
		       const char **step)
{
	if (socket_is_unix(kind))
		return unix_socket_open(socket_is_stream(kind) ? SOCK_STREAM : SOCK_DGRAM, address,
					file, step);
	return inet_socket_open(kind, address, step);
}

struct listen_socket *listen_socket_open(enum socket_kind kind, const struct address *address,
					 struct reason *reason)
{
	struct unix_file file = {0};
	struct listen_socket *socket;
	const char *step;
	int fd = open_socket(kind, address, &file, &step);

	if (fd < 0) {
		explain(reason, step, kind, address);
		return NULL;
	}
	socket = wrap(fd, kind);
	if (!socket) {
		int error = errno;

		explain(reason, "getsockname", kind, address);
		if (socket_is_unix(kind))
			unix_file_remove(&file, address);
		close(fd);
		errno = error;
		return NULL;
	}
	socket->file = file;
	return socket;
}

struct listen_socket *listen_socket_adopt(int fd, enum socket_kind kind, struct reason *reason)
{
	struct address unknown = {0};
	struct listen_socket *socket = wrap(fd, kind);

	if (!socket) {
		explain(reason, "getsockname", kind, &unknown);
		return NULL;
	}
	socket->handed = true;
	socket->early = true;
	if (socket_options_set(fd, kind) < 0) {
		explain(reason, "setsockopt", kind, &socket->address);
		free(socket);
		return NULL;
	}
	(void)listen_socket_drops(socket);
	socket->drops = 0; /* those were a former instance's */
	socket_options_finish(fd, kind);
	return socket;
}

int listen_socket_probe(enum socket_kind kind, const struct address *address, struct reason *reason)
{
	const char *step;

	/* Opening a unix socket finds out by itself. */
	if (socket_is_unix(kind) || inet_socket_probe(kind, address, &step) == 0)
		return 0;
	explain(reason, step, kind, address);
	return -1;
}

struct listen_socket *listen_socket_hold(struct listen_socket *socket)
{
	atomic_fetch_add_explicit(&socket->references, 1, memory_order_relaxed);
	return socket;
}

void listen_socket_release(struct listen_socket *socket)
{
	if (!socket || atomic_fetch_sub_explicit(&socket->references, 1, memory_order_acq_rel) > 1)
		return;
	if (socket->kind == SOCKET_UDP)
		atomic_fetch_add(&drops_of_closed, listen_socket_drops(socket));
	close(socket->fd);
	free(socket);
}

bool listen_socket_lost_file(const struct listen_socket *socket)
{
	return socket_is_unix(socket->kind) && unix_file_is_lost(&socket->file, &socket->address);
}

void listen_socket_unlink(const struct listen_socket *socket)
{
	if (socket_is_unix(socket->kind) && !socket->handed)
		unix_file_remove(&socket->file, &socket->address);
}

/*
 * An interface that does not exist brings no connection, and a socket that is connected to itself
 * receives from nobody else. Where the kernel refuses (SO_BINDTOIFINDEX without privilege needs
 * Linux 5.7), what comes until it is closed is lost.
 */
void listen_socket_retire(const struct listen_socket *socket)
{
	if (socket->kind == SOCKET_TCP)
		(void)set(socket->fd, SOL_SOCKET, SO_BINDTOIFINDEX, INT_MAX);
	else if (socket->kind == SOCKET_UDP)
		(void)connect(socket->fd, &socket->address.sa, socket->address.length);
}

uint64_t listen_socket_drops(struct listen_socket *socket)
{
	uint32_t values[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(values);

	if (getsockopt(socket->fd, SOL_SOCKET, SO_MEMINFO, values, &size) == 0) {
		socket->drops += values[SK_MEMINFO_DROPS] - socket->kernel_drops;
		socket->kernel_drops = values[SK_MEMINFO_DROPS];
	}
	return socket->drops;
}

uint64_t listen_socket_drops_of_closed(void)
{
	return atomic_load(&drops_of_closed);
}
