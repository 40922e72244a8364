/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Socket activation: finds the descriptors passed by the service manager, checks that each can be
 * served, and returns them. Keeps nothing; called by control at startup, before it opens sockets of
 * its own.
 */

#include "config.h"

#include "daemon/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"

#define FIRST_FD 3
#define MAX_FDS 1024

#define ACCEPTED                                                                                   \
	"echod takes listening stream sockets and bound, unconnected datagram sockets, "           \
	"IPv4, IPv6 or unix"

bool activation_present(void)
{
	const char *pid_text = getenv("LISTEN_PID");
	const char *count_text = getenv("LISTEN_FDS");
	struct reason reason;
	uint64_t pid;

	return pid_text && count_text && strcmp(count_text, "0") != 0 &&
	       parse_unsigned(pid_text, 1, INT32_MAX, &pid, &reason) == 0 && (pid_t)pid == getpid();
}

static int socket_option(int fd, int option)
{
	int value;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) < 0 ? -1 : value;
}

/* Without a port or a name, no client can send to it. */
static bool is_bound(const struct address *address)
{
	if (address->sa.sa_family == AF_UNIX)
		return address->length > offsetof(struct sockaddr_un, sun_path);
	return address_port(address) != 0;
}

static const char *classify_datagram(const struct handed_socket *handed)
{
	struct address peer = {.length = sizeof(peer.un)};

	if (getpeername(handed->fd, &peer.sa, &peer.length) == 0)
		return "is a connected socket";
	return is_bound(&handed->address) ? NULL : "is not bound to an address";
}

/* Why the socket cannot be served, or NULL. */
static const char *classify(struct handed_socket *handed)
{
	int type = socket_option(handed->fd, SO_TYPE);

	if (type < 0)
		return errno == EBADF ? "is not open" : "is not a socket";
	handed->address.length = sizeof(handed->address.un);
	if (getsockname(handed->fd, &handed->address.sa, &handed->address.length) < 0)
		return "has no address";
	if (handed->address.sa.sa_family != AF_INET && handed->address.sa.sa_family != AF_INET6 &&
	    handed->address.sa.sa_family != AF_UNIX)
		return "is a socket of another family";
	handed->shares_address = socket_option(handed->fd, SO_REUSEPORT) == 1;
	if (type == SOCK_STREAM) {
		handed->kind = HANDED_STREAM;
		return socket_option(handed->fd, SO_ACCEPTCONN) == 1
			       ? NULL
			       : "is a stream socket that does not listen (Accept=yes?)";
	}
	if (type != SOCK_DGRAM)
		return "is a socket of another type";
	handed->kind = HANDED_DATAGRAM;
	return classify_datagram(handed);
}

/* O_NONBLOCK is shared with previous and later instances, which need it as well. */
static int set_flags(int fd)
{
	int status = fcntl(fd, F_GETFL);

	if (status < 0 || fcntl(fd, F_SETFL, status | O_NONBLOCK) < 0)
		return -1;
	return fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static int take_one(struct handed_socket *handed, struct reason *reason)
{
	const char *wrong = classify(handed);

	if (!wrong && set_flags(handed->fd) < 0)
		wrong = strerror(errno);
	if (wrong)
		return reason_set(reason, "handed descriptor %d (\"%s\") %s: " ACCEPTED, handed->fd,
				  handed->name, wrong);
	return 0;
}

/* Consumes the first name of the list, or "unknown", as in sd_listen_fds_with_names(3). */
static void take_name(struct handed_socket *handed, const char **names)
{
	size_t length = strcspn(*names, ":");

	snprintf(handed->name, sizeof(handed->name), "%.*s", (int)length, *names);
	if (length == 0)
		snprintf(handed->name, sizeof(handed->name), "unknown");
	*names += length;
	if (**names == ':')
		++*names;
}

static void close_all(uint64_t count)
{
	for (uint64_t i = 0; i < count; i++)
		close(FIRST_FD + (int)i);
}

static int take_all(struct handed_socket **sockets, size_t *count, struct reason *reason)
{
	const char *names = getenv("LISTEN_FDNAMES");
	struct handed_socket *taken;
	struct reason why;
	uint64_t n;

	if (parse_unsigned(getenv("LISTEN_FDS"), 1, MAX_FDS, &n, &why) < 0)
		return reason_set(reason, "LISTEN_FDS: %s", why.text);
	taken = calloc((size_t)n, sizeof(*taken));
	if (!taken) {
		close_all(n);
		return reason_set(reason, "LISTEN_FDS: out of memory");
	}
	names = names ? names : "";
	for (uint64_t i = 0; i < n; i++) {
		taken[i].fd = FIRST_FD + (int)i;
		take_name(&taken[i], &names);
		if (take_one(&taken[i], reason) < 0) {
			free(taken);
			close_all(n);
			return -1;
		}
	}
	*sockets = taken;
	*count = (size_t)n;
	return 0;
}

int activation_take(struct handed_socket **sockets, size_t *count, struct reason *reason)
{
	int status = 0;

	*sockets = NULL;
	*count = 0;
	if (activation_present())
		status = take_all(sockets, count, reason);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return status;
}
