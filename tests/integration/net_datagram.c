/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The part of net.h that is about datagrams. */

#include "config.h"

#include "base/ancillary.h"
#include "integration/harness.h"
#include "integration/net.h"

static void set(int fd, int level, int option, int value)
{
	ck_assert_int_eq(setsockopt(fd, level, option, &value, sizeof(value)), 0);
}

int datagram_socket_at(const char *host, uint16_t port)
{
	struct address own = at(host, port);
	int fd = new_socket(&own, SOCK_DGRAM);

	ck_assert_msg(bind(fd, &own.sa, own.length) == 0, "bind to %s port %d: %s", host, port,
		      strerror(errno));
	set(fd, SOL_SOCKET, SO_RCVBUF, 1024 * 1024);
	if (own.sa.sa_family == AF_INET) {
		set(fd, SOL_IP, IP_RECVTTL, 1);
		set(fd, SOL_IP, IP_RECVTOS, 1);
	} else if (own.sa.sa_family == AF_INET6) {
		set(fd, SOL_IPV6, IPV6_RECVHOPLIMIT, 1);
		set(fd, SOL_IPV6, IPV6_RECVTCLASS, 1);
	}
	return fd;
}

int datagram_socket(const char *host)
{
	return datagram_socket_at(host, 0);
}

int reserve_port_of(int fd)
{
	struct address own = {.length = sizeof(own.un)}, other;
	int taken;

	ck_assert_int_eq(getsockname(fd, &own.sa, &own.length), 0);
	other = at("127.0.0.2", address_port(&own));
	taken = new_socket(&other, SOCK_DGRAM);
	(void)bind(taken, &other.sa, other.length);
	return taken;
}

void set_hops(int fd, int hops)
{
	struct address own = {.length = sizeof(own.un)};

	ck_assert_int_eq(getsockname(fd, &own.sa, &own.length), 0);
	if (own.sa.sa_family == AF_INET)
		set(fd, SOL_IP, IP_TTL, hops);
	else
		set(fd, SOL_IPV6, IPV6_UNICAST_HOPS, hops);
}

void set_tos(int fd, int tos)
{
	if (option_of(fd, SOL_SOCKET, SO_DOMAIN) == AF_INET)
		set(fd, SOL_IP, IP_TOS, tos);
	else
		set(fd, SOL_IPV6, IPV6_TCLASS, tos);
}

/* Of IPv4 the traffic class is one byte, all others are ints. */
static void take_note(const struct cmsghdr *part, struct datagram *datagram)
{
	const void *value = CMSG_DATA(part);
	int level = part->cmsg_level, type = part->cmsg_type;

	if ((level == SOL_IP && type == IP_TTL) || (level == SOL_IPV6 && type == IPV6_HOPLIMIT))
		memcpy(&datagram->hops, value, sizeof(datagram->hops));
	else if (level == SOL_IP && type == IP_TOS)
		datagram->tos = *(const uint8_t *)value;
	else if (level == SOL_IPV6 && type == IPV6_TCLASS)
		memcpy(&datagram->tos, value, sizeof(datagram->tos));
}

void send_datagram(int fd, const struct address *to, const void *data, size_t size)
{
	ssize_t sent = sendto(fd, data, size, 0, &to->sa, to->length);

	ck_assert_msg(sent == (ssize_t)size, "sendto: %s", strerror(errno));
}

void receive_datagram(int fd, struct datagram *datagram)
{
	union {
		struct cmsghdr header;
		char bytes[256];
	} control;
	struct iovec room = {.iov_base = datagram->data, .iov_len = sizeof(datagram->data)};
	struct msghdr message = {.msg_name = &datagram->from.sa,
				 .msg_namelen = sizeof(datagram->from.un),
				 .msg_iov = &room,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t size = recvmsg(fd, &message, 0);

	ck_assert_msg(size >= 0, "no datagram came: %s", strerror(errno));
	ck_assert_int_eq(message.msg_flags & MSG_TRUNC, 0);
	datagram->size = (size_t)size;
	datagram->from.length = message.msg_namelen;
	datagram->hops = datagram->tos = -1;
	for (struct cmsghdr *part = CMSG_FIRSTHDR(&message); part != NULL;
	     part = ancillary_next(&message, part))
		take_note(part, datagram);
}

void expect_datagram_echo(int fd, const char *host, uint16_t port, const void *data, size_t size)
{
	struct datagram *came = malloc(sizeof(*came));
	struct address to = at(host, port);
	char from[ADDRESS_TEXT_MAX];

	ck_assert_ptr_nonnull(came);
	send_datagram(fd, &to, data, size);
	receive_datagram(fd, came);
	ck_assert_uint_eq(came->size, size);
	ck_assert_mem_eq(came->data, data, size);
	ck_assert_msg(address_equal(&came->from, &to), "asked %s, answered from %s", host,
		      address_format(&came->from, from));
	free(came);
}
