/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See inet_socket.h. */

#include "config.h"

#include "echod/sockets/inet_socket.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echod/sockets/socket_options.h"

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static int close_failed(int fd)
{
	int error = errno;

	close(fd);
	errno = error;
	return -1;
}

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
	return close_failed(fd);
}

static int set_up(int fd, enum socket_kind kind, const struct address *address, const char **step)
{
	*step = "setsockopt";
	if (socket_options_set(fd, kind) < 0 || set(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
		return -1;
	if (kind == SOCKET_TCP && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return -1;
	*step = "bind";
	if (bind(fd, &address->sa, address->length) < 0)
		return -1;
	*step = "listen";
	if (kind == SOCKET_TCP && listen(fd, SOMAXCONN) < 0)
		return -1;
	socket_options_finish(fd, kind);
	return 0;
}

int inet_socket_open(enum socket_kind kind, const struct address *address, const char **step)
{
	int fd = new_socket(kind, address, step);

	if (fd < 0 || set_up(fd, kind, address, step) == 0)
		return fd;
	return close_failed(fd);
}

int inet_socket_probe(enum socket_kind kind, const struct address *address, const char **step)
{
	int fd = new_socket(kind, address, step);

	if (fd < 0)
		return -1;
	/* Connections in TIME_WAIT must not count as a user; for UDP the option means sharing. */
	*step = "setsockopt";
	if (kind == SOCKET_TCP && set(fd, SOL_SOCKET, SO_REUSEADDR, 1) < 0)
		return close_failed(fd);
	*step = "bind";
	if (bind(fd, &address->sa, address->length) < 0)
		return close_failed(fd);
	close(fd);
	return 0;
}

const char *inet_socket_advice(int error)
{
	switch (error) {
	case EACCES:
		return ": ports below 1024 need root or CAP_NET_BIND_SERVICE";
	case EADDRNOTAVAIL:
		return ": no interface of this host has that address";
	default:
		return "";
	}
}
