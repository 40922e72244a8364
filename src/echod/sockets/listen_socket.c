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
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/log.h"
#include "echod/sockets/socket_options.h"
#include "echod/sockets/unix_socket.h"

/* Whoever closes a socket adds what was dropped there, or the sum would fall. */
static _Atomic uint64_t drops_of_closed;

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* What would help, as far as the error tells. */
static const char *advice(enum socket_kind kind, int error)
{
	bool is_path = socket_is_unix(kind);

	switch (error) {
	case EADDRINUSE:
		return ": another program has it; stop that one or choose another address "
		       "(ss -lntuxp shows who)";
	case EEXIST:
		return ": it is no socket, and stays; choose another path";
	case ENOENT:
		return ": its directory is missing";
	case EACCES:
		return is_path ? ": the user that echod runs as may not write to its directory"
			       : ": ports below 1024 need root or CAP_NET_BIND_SERVICE";
	case EPERM:
		return is_path ? ": another user left a file there; remove it, or choose a "
				 "directory that belongs to the user that echod runs as"
			       : "";
	case EADDRNOTAVAIL:
		return ": no interface of this host has that address";
	case EMFILE:
		return ": raise LimitNOFILE= (ulimit -n)";
	case EAFNOSUPPORT:
		return ": this kernel does not have that protocol family";
	default:
		return "";
	}
}

/* Says what failed with which address; keeps errno for the caller. */
static void explain(struct reason *reason, const char *step, enum socket_kind kind,
		    const struct address *address)
{
	char text[ADDRESS_TEXT_MAX];
	int error = errno;

	reason_set(reason, "cannot listen on %s %s: %s: %s%s", socket_kind_names[kind],
		   address_format(address, text), step, strerror(error), advice(kind, error));
	errno = error;
}

static void close_keeping_errno(int fd)
{
	int error = errno;

	if (fd >= 0)
		close(fd);
	errno = error;
}

/* Here and below: *STEP names the call that failed. */
static int new_socket(enum socket_kind kind, const struct address *address, const char **step)
{
	int type = socket_is_stream(kind) ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(address->sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*step = "socket";
	if (fd < 0 || address->sa.sa_family != AF_INET6)
		return fd;
	*step = "setsockopt";
	if (set(fd, SOL_IPV6, IPV6_V6ONLY, 1) == 0)
		return fd;
	close_keeping_errno(fd);
	return -1;
}

static int bind_socket(int fd, enum socket_kind kind, const struct address *address,
		       const char **step)
{
	if (socket_is_unix(kind))
		return unix_socket_bind(fd, socket_is_stream(kind) ? SOCK_STREAM : SOCK_DGRAM,
					address, step);
	*step = "setsockopt";
	if (set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -1;
	if (kind == SOCKET_TCP && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return -1;
	*step = "bind";
	return bind(fd, &address->sa, address->length);
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

static void note_file(struct listen_socket *socket)
{
	struct stat status;

	if (socket_is_unix(socket->kind) && lstat(socket->address.un.sun_path, &status) == 0) {
		socket->device = status.st_dev;
		socket->inode = status.st_ino;
	}
}

struct listen_socket *listen_socket_open(enum socket_kind kind, const struct address *address,
					 struct reason *reason)
{
	struct listen_socket *result = NULL;
	const char *step;
	/* From the probe until ours listens: before that it would pass for a stale one. */
	int lock = socket_is_unix(kind) ? unix_socket_lock(address) : -1;
	int fd = new_socket(kind, address, &step);
	bool bound = false;
	int error;

	if (fd < 0)
		goto failed;
	step = "setsockopt";
	if (socket_options_set(fd, kind) < 0)
		goto failed;
	if (bind_socket(fd, kind, address, &step) < 0)
		goto failed;
	bound = true;
	step = "listen";
	if (socket_is_stream(kind) && listen(fd, SOMAXCONN) < 0)
		goto failed;
	socket_options_finish(fd, kind);
	step = "getsockname";
	result = wrap(fd, kind);
	if (!result)
		goto failed;
	note_file(result);
	close_keeping_errno(lock);
	return result;
failed:
	explain(reason, step, kind, address);
	error = errno;
	if (bound && socket_is_unix(kind))
		(void)unlink(address->un.sun_path);
	errno = error;
	close_keeping_errno(fd);
	close_keeping_errno(lock);
	return NULL;
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
	int fd, result;

	if (socket_is_unix(kind))
		return 0; /* binding it finds out by itself */
	fd = new_socket(kind, address, &step);
	result = fd < 0 ? -1 : 0;
	/* Connections in TIME_WAIT must not count as somebody; for UDP the option means sharing. */
	if (result == 0 && kind == SOCKET_TCP) {
		step = "setsockopt";
		result = set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	}
	if (result == 0) {
		step = "bind";
		result = bind(fd, &address->sa, address->length);
	}
	if (result < 0)
		explain(reason, step, kind, address);
	close_keeping_errno(fd);
	return result;
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

static bool is_file_of(const struct listen_socket *socket, const struct stat *status)
{
	return status->st_dev == socket->device && status->st_ino == socket->inode;
}

bool listen_socket_lost_file(const struct listen_socket *socket)
{
	struct stat status;

	if (!socket_is_unix(socket->kind))
		return false;
	if (lstat(socket->address.un.sun_path, &status) < 0)
		return errno == ENOENT;
	return !is_file_of(socket, &status);
}

/*
 * An interface that does not exist brings no connection, and a socket that is connected to itself
 * hears of nobody else. Where the kernel refuses (SO_BINDTOIFINDEX without privilege needs Linux
 * 5.7), what comes until it is closed is lost.
 */
void listen_socket_retire(const struct listen_socket *socket)
{
	if (socket->kind == SOCKET_TCP)
		(void)set(socket->fd, SOL_SOCKET, SO_BINDTOIFINDEX, INT_MAX);
	else if (socket->kind == SOCKET_UDP)
		(void)connect(socket->fd, &socket->address.sa, socket->address.length);
}

void listen_socket_unlink(const struct listen_socket *socket)
{
	const char *path = socket->address.un.sun_path;
	struct stat status;

	if (!socket_is_unix(socket->kind) || socket->handed || lstat(path, &status) < 0)
		return;
	if (is_file_of(socket, &status) && unlink(path) < 0)
		log_warning("cannot remove %s, which nobody serves any more: %s (its directory "
			    "should belong to the user that echod runs as)",
			    path, strerror(errno));
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
