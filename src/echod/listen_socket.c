/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Opening, probing and adopting the sockets that clients come to. What every accepted connection
 * shall have is set on its listener, which it inherits from, so that accepting one costs one call.
 */

#include "config.h"

#include "listen_socket.h"

#include <errno.h>
#include <limits.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "udp_control.h"
#include "unix_socket.h"

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

const char *const socket_kind_names[] = {"tcp", "udp", "unix", "unixgram"};

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

/* The settings that accepted connections inherit. */
static int set_tcp_options(int fd)
{
	/* A Multipath TCP socket, which can only be handed over, has no urgent data. */
	if (set(fd, SOL_SOCKET, SO_OOBINLINE, 1) < 0 && errno != EOPNOTSUPP)
		return -1;
	if (set(fd, SOL_TCP, TCP_NODELAY, 1) < 0 || set(fd, SOL_SOCKET, SO_KEEPALIVE, 1) < 0 ||
	    set(fd, SOL_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S) < 0 ||
	    set(fd, SOL_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S) < 0 ||
	    set(fd, SOL_TCP, TCP_NOTSENT_LOWAT, UNSENT_MAX) < 0 ||
	    set(fd, SOL_TCP, TCP_LINGER2, FIN_WAIT_S) < 0)
		return -1;
	return set(fd, SOL_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
}

/* The kernel tells twice what it granted; -1 when it tells nothing. */
static int buffer_of(int fd, int option)
{
	int value = 0;
	socklen_t size = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value / 2;
}

/* What this host gives whoever asks for our buffer, found out on a socket of its own; or -1. */
static int grantable(int option)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int granted = -1;

	if (fd >= 0 && set(fd, SOL_SOCKET, option, DATAGRAM_BUFFER) == 0)
		granted = buffer_of(fd, option);
	close_keeping_errno(fd);
	return granted;
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

static int set_options(int fd, enum socket_kind kind)
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
 * Answers may leave from every address that datagrams came to, be it ours by a route alone. Once
 * bound, for bind must refuse what is not ours. IPv4 does so unasked, and an old kernel does not.
 */
static void answer_from_any(int fd, enum socket_kind kind)
{
	if (kind == SOCKET_UDP)
		(void)set(fd, SOL_IPV6, IPV6_FREEBIND, 1);
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
	if (set_options(fd, kind) < 0)
		goto failed;
	if (bind_socket(fd, kind, address, &step) < 0)
		goto failed;
	bound = true;
	answer_from_any(fd, kind);
	step = "listen";
	if (socket_is_stream(kind) && listen(fd, SOMAXCONN) < 0)
		goto failed;
	if (kind == SOCKET_TCP)
		refuse_fast_open(fd);
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
	if (set_options(fd, kind) < 0) {
		explain(reason, "setsockopt", kind, &socket->address);
		free(socket);
		return NULL;
	}
	(void)listen_socket_drops(socket);
	socket->drops = 0; /* those were a former instance's */
	if (kind == SOCKET_TCP)
		refuse_fast_open(fd);
	answer_from_any(fd, kind);
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

bool listen_socket_buffers_small(const struct listen_socket *socket)
{
	return socket->kind == SOCKET_UDP &&
	       (has_small_buffer(socket->fd, SO_RCVBUF) || has_small_buffer(socket->fd, SO_SNDBUF));
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

void listen_socket_endow(const struct listen_socket *socket, int fd)
{
	/* Refused only to those that have gone already. */
	if (socket->kind == SOCKET_TCP)
		(void)set_tcp_options(fd);
	else
		(void)set(fd, SOL_SOCKET, SO_OOBINLINE, 1);
}
