/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See listen.h. The caller owns the socket. */

#include "config.h"

#include "daemon/http/listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 64

static int bind_and_listen(int fd, const struct address *address, struct address *bound)
{
	const int on = 1;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->sa.sa_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	bound->length = sizeof(bound->in6);
	if (bind(fd, &address->sa, address->length) < 0 || listen(fd, BACKLOG) < 0)
		return -1;
	return getsockname(fd, &bound->sa, &bound->length);
}

int http_listen(const struct address *address, struct address *bound, struct reason *reason)
{
	int fd = socket(address->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char text[ADDRESS_TEXT_MAX];
	int error;

	if (fd >= 0 && bind_and_listen(fd, address, bound) == 0)
		return fd;
	error = errno;
	if (fd >= 0)
		close(fd);
	reason_set(reason, "cannot listen on %s: %s%s", address_format(address, text),
		   strerror(error), error == EADDRINUSE ? ": another program has this port" : "");
	errno = error;
	return -1;
}
