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

static struct address any_address(int family)
{
	struct address any = {.length = family == AF_INET ? sizeof(any.in4) : sizeof(any.in6)};

	any.sa.sa_family = (sa_family_t)family;
	return any;
}

/* Binds to the source; a unixgram socket needs a name of its own for the reply to go to. */
static int bind_own_end(int fd, const struct target *target, uint16_t port)
{
	const struct sockaddr_un unnamed = {.sun_family = AF_UNIX};
	int family = target->candidates[target->chosen].sa.sa_family;
	struct address own = target->source;

	if (family == AF_UNIX)
		return !target->datagram ? 0
					 : bind(fd, (const struct sockaddr *)&unnamed,
						sizeof(unnamed.sun_family));
	if (own.length == 0 && port == 0)
		return 0;
	if (own.length == 0)
		own = any_address(family);
	address_set_port(&own, port);
	if (port == 0)
		set_option(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	else if (!target->datagram) /* after a connection elsewhere that was closed just now */
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	return bind(fd, &own.sa, own.length);
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

/* An IPv6 socket with a v4-mapped address sends IPv4: the options of both apply. */
static int set_ip_option(int fd, int family, int v4_option, int v6_option, int value)
{
	if (family == AF_INET)
		return setsockopt(fd, IPPROTO_IP, v4_option, &value, sizeof(value));
	set_option(fd, IPPROTO_IP, v4_option, value);
	return setsockopt(fd, IPPROTO_IPV6, v6_option, &value, sizeof(value));
}

int target_set_tos(int fd, int family, uint8_t tos)
{
	return set_ip_option(fd, family, IP_TOS, IPV6_TCLASS, tos);
}

int target_ttl(int fd, int family)
{
	socklen_t length = sizeof(int);
	int level = family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6;
	int option = family == AF_INET ? IP_TTL : IPV6_UNICAST_HOPS;
	int ttl;

	return getsockopt(fd, level, option, &ttl, &length) == 0 && ttl > 0 ? ttl : 0;
}

int target_set_ttl(int fd, int family, int ttl)
{
	return set_ip_option(fd, family, IP_TTL, IPV6_UNICAST_HOPS, ttl);
}

/* What was asked for expressly, and must not fail unnoticed. */
static int set_requests(int fd, const struct target *target, int family)
{
	if (target->interface[0] != '\0' &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, target->interface,
		       (socklen_t)strlen(target->interface)) < 0)
		return -1;
	if (target->tos != 0 && target_set_tos(fd, family, target->tos) < 0)
		return -1;
	return target->ttl == 0 ? 0 : target_set_ttl(fd, family, target->ttl);
}

static int set_options(int fd, const struct target *target)
{
	int family = target->candidates[target->chosen].sa.sa_family;

	set_fragmenting(fd, target->fragmenting, family);
	if (target->datagram) {
		set_option(fd, SOL_SOCKET, SO_RCVBUF, DATAGRAM_BUFFER);
		set_option(fd, SOL_SOCKET, SO_SNDBUF, DATAGRAM_BUFFER);
	} else if (family != AF_UNIX) {
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	}
	return set_requests(fd, target, family);
}

int target_begin(const struct target *target)
{
	return target_begin_from(target, address_port(&target->source));
}

int target_begin_from(const struct target *target, uint16_t port)
{
	const struct address *to = &target->candidates[target->chosen];
	int type = (target->datagram ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(to->sa.sa_family, type, 0);
	int saved;

	if (fd < 0)
		return -1;
	if (set_options(fd, target) == 0 && bind_own_end(fd, target, port) == 0 &&
	    (connect(fd, &to->sa, to->length) == 0 || errno == EINPROGRESS))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

/* A fresh socket has room for all of it. 0 or an errno. */
static int greet(int fd, enum proxy_greeting version)
{
	struct address own = {.length = sizeof(own.in6)}, peer = own;
	unsigned char header[PROXY_GREETING_MAX];
	size_t length;

	if (getsockname(fd, &own.sa, &own.length) < 0 ||
	    getpeername(fd, &peer.sa, &peer.length) < 0)
		return errno;
	length = proxy_greeting_write(version, &own, &peer, header);
	return send(fd, header, length, MSG_NOSIGNAL) < 0 ? errno : 0;
}

int target_result(const struct target *target, int fd)
{
	socklen_t length = sizeof(int);
	int error = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0)
		return errno;
	if (error != 0 || target->proxy == PROXY_GREETING_NONE)
		return error;
	return greet(fd, target->proxy);
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
