/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See socket_options.h. Called by listen_socket.c and where connections are accepted. */

#include "config.h"

#include "echod/sockets/socket_options.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echod/sockets/udp_control.h"

#define DATAGRAM_BUFFER (4 * 1024 * 1024)
#define KEEPALIVE_IDLE_S 300
#define KEEPALIVE_INTERVAL_S 30
#define KEEPALIVE_COUNT 4

/*
 * How much the kernel takes that it cannot send yet. What it refuses is ours to keep, to count and
 * to time; bulk transfers are as fast as without a bound.
 */
#define UNSENT_MAX (128 * 1024)

/* In FIN_WAIT2, closed by us: the peer has acknowledged everything, only its FIN is missing. */
#define FIN_WAIT_S 1

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* The same where a Multipath TCP socket, which can only be handed over, may have no such option. */
static int set_unless_multipath(int fd, int level, int option, int value)
{
	if (set(fd, level, option, value) == 0 || errno == EOPNOTSUPP || errno == ENOPROTOOPT)
		return 0;
	return -1;
}

/* The settings that accepted connections inherit. */
static int set_tcp_options(int fd)
{
	if (set(fd, SOL_TCP, TCP_NODELAY, 1) < 0 ||
	    set_unless_multipath(fd, SOL_SOCKET, SO_OOBINLINE, 1) < 0 ||
	    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) < 0 ||
	    set(fd, SOL_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S) < 0 ||
	    set(fd, SOL_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S) < 0 ||
	    set(fd, SOL_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT) < 0 ||
	    set_unless_multipath(fd, SOL_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX) < 0)
		return -1;
	return set_unless_multipath(fd, SOL_TCP, TCP_LINGER2, FIN_WAIT_S);
}

/* The kernel returns twice what it granted. -1: unknown. */
static int buffer_of(int fd, int option)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value / 2;
}

/* The buffer that this host grants, tried on a socket of its own; -1: unknown. */
static int grantable(int option)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int granted = -1;

	if (fd >= 0 && set(fd, SOL_SOCKET, option, DATAGRAM_BUFFER) == 0)
		granted = buffer_of(fd, option);
	if (fd >= 0)
		close(fd);
	return granted;
}

/* Never lowers: the service manager may have granted more than we could ask for. */
static int raise_buffer(int fd, int option)
{
	int now = buffer_of(fd, option), granted;

	if (now < 0)
		return -1;
	if (now >= DATAGRAM_BUFFER)
		return 0;
	granted = grantable(option);
	if (granted < 0)
		return -1;
	return granted > now ? set(fd, SOL_SOCKET, option, DATAGRAM_BUFFER) : 0;
}

static bool has_small_buffer(int fd, int option)
{
	int size = buffer_of(fd, option);

	return size >= 0 && size < DATAGRAM_BUFFER;
}

static int set_udp_options(int fd)
{
	int family = 0;
	socklen_t size = sizeof(family);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0)
		return -1;
	if (raise_buffer(fd, SO_RCVBUF) < 0 || raise_buffer(fd, SO_SNDBUF) < 0)
		return -1;
	return udp_control_enable(fd, family);
}

int socket_options_set(int fd, enum socket_kind kind)
{
	switch (kind) {
	case SOCKET_TCP:
		return set_tcp_options(fd);
	case SOCKET_UDP:
		return set_udp_options(fd);
	default:
		return 0;
	}
}

/*
 * Takes nothing that comes in a SYN, whose source may be forged. The kernel offers that on every
 * listener where net.ipv4.tcp_fastopen has 0x400, from listen(2) on. It refuses only where it has
 * no Fast Open.
 */
static void refuse_fast_open(int fd)
{
	(void)set(fd, SOL_TCP, TCP_FASTOPEN, 0);
}

/*
 * Answers may leave from every address that datagrams came to, even one that is ours only by a
 * route. Set after bind, which must still refuse what is not ours. IPv4 needs no option, and an old
 * kernel has none.
 */
static void answer_from_any(int fd)
{
	(void)set(fd, SOL_IPV6, IPV6_FREEBIND, 1);
}

void socket_options_finish(int fd, enum socket_kind kind)
{
	if (kind == SOCKET_TCP)
		refuse_fast_open(fd);
	else if (kind == SOCKET_UDP)
		answer_from_any(fd);
}

void socket_options_set_accepted(int fd, enum socket_kind kind)
{
	/* Refused only to those that have gone already. */
	if (kind == SOCKET_TCP)
		(void)set_tcp_options(fd);
	else
		(void)set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}

bool socket_options_buffers_small(int fd, enum socket_kind kind)
{
	return kind == SOCKET_UDP &&
	       (has_small_buffer(fd, SO_RCVBUF) || has_small_buffer(fd, SO_SNDBUF));
}
