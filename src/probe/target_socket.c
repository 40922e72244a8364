/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sockets connected to the target. A datagram socket is connected too: it then sees that a port is
 * refused, and takes replies only from the address that was asked.
 */

#include "config.h"

#include "probe/target.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"

#define DATAGRAM_BUFFER (4 << 20)

static void set_option(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* Binds to the source; a unixgram socket needs a name of its own for the reply to go to. */
static int bind_own_end(int fd, const struct target *target)
{
	const struct sockaddr_un unnamed = {.sun_family = AF_UNIX};

	if (target->candidates[target->chosen].sa.sa_family == AF_UNIX)
		return !target->datagram ? 0
					 : bind(fd, (const struct sockaddr *)&unnamed,
						sizeof(unnamed.sun_family));
	if (target->source.length == 0)
		return 0;
	set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	return bind(fd, &target->source.sa, target->source.length);
}

static void set_fragmenting(int fd, enum fragmenting fragmenting, int family)
{
	static const int values[] = {[FRAGMENTING_DO] = IP_PMTUDISC_DO,
				     [FRAGMENTING_WANT] = IP_PMTUDISC_WANT,
				     [FRAGMENTING_DONT] = IP_PMTUDISC_DONT};

	if (fragmenting == FRAGMENTING_DEFAULT)
		return;
	if (family == AF_INET)
		set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, values[fragmenting]);
	else
		set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, values[fragmenting]);
}

static void set_options(int fd, const struct target *target)
{
	int family = target->candidates[target->chosen].sa.sa_family;

	set_fragmenting(fd, target->fragmenting, family);
	if (target->datagram) {
		set_option(fd, SOL_SOCKET, SO_RCVBUF, DATAGRAM_BUFFER);
		set_option(fd, SOL_SOCKET, SO_SNDBUF, DATAGRAM_BUFFER);
	} else if (family != AF_UNIX) {
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	}
}

int target_begin(const struct target *target)
{
	const struct address *to = &target->candidates[target->chosen];
	int type = (target->datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(to->sa.sa_family, type, 0);
	int saved;

	if (fd < 0)
		return -1;
	set_options(fd, target);
	if (bind_own_end(fd, target) == 0 &&
	    (connect(fd, &to->sa, to->length) == 0 || errno == EINPROGRESS))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

int target_result(int fd)
{
	socklen_t length = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return errno;
	return error;
}

int target_wait(int fd, short events, uint64_t deadline)
{
	struct pollfd ready = {.fd = fd, .events = events};

	for (;;) {
		uint64_t now = clock_ns();
		int left = now < deadline ? (int)((deadline - now) / NS_PER_MS) + 1 : 0;
		int count = poll(&ready, 1, left);

		if (count >= 0 || errno != EINTR)
			return count;
	}
}

bool target_is_host(const struct target *target, const struct address *address)
{
	struct in6_addr own, other;

	return address_ip(&target->candidates[target->chosen].sa, &own) &&
	       address_ip(&address->sa, &other) && memcmp(&own, &other, sizeof(own)) == 0;
}

const char *target_own_text(int fd, char text[static ADDRESS_TEXT_MAX])
{
	struct address own = {.length = sizeof(own.un)};

	if (getsockname(fd, &own.sa, &own.length) < 0)
		own.length = 0;
	return address_format(&own, text);
}
