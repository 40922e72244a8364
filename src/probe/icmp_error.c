/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * ICMP errors from a socket's error queue, in the words of RFC 792 and RFC 4443. Owns nothing; ping
 * calls it.
 */

#include "config.h"

#include "probe/icmp_error.h"

#include <errno.h>
#include <time.h>

#include <linux/errqueue.h> /* after time.h, which it does not include */
#include <netdb.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>

#include "base/ancillary.h"

#define CONTROL_SIZE 512

void icmp_error_prepare(int fd)
{
	const int on = 1;

	(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

struct meaning {
	uint8_t origin;
	uint8_t type;
	uint8_t code;
	const char *text;
};

#define V4 SO_EE_ORIGIN_ICMP
#define V6 SO_EE_ORIGIN_ICMP6

static const struct meaning meanings[] = {
	{V4, ICMP_UNREACH, ICMP_UNREACH_NET, "network unreachable"},
	{V4, ICMP_UNREACH, ICMP_UNREACH_HOST, "host unreachable"},
	{V4, ICMP_UNREACH, ICMP_UNREACH_PROTOCOL, "protocol unreachable"},
	{V4, ICMP_UNREACH, ICMP_UNREACH_PORT, "port unreachable"},
	{V4, ICMP_UNREACH, ICMP_UNREACH_NEEDFRAG, "fragmentation needed"},
	{V4, ICMP_UNREACH, ICMP_UNREACH_NET_PROHIB, "network prohibited"},
	{V4, ICMP_UNREACH, ICMP_UNREACH_HOST_PROHIB, "host prohibited"},
	{V4, ICMP_UNREACH, ICMP_UNREACH_FILTER_PROHIB, "administratively prohibited"},
	{V4, ICMP_TIMXCEED, ICMP_TIMXCEED_INTRANS, "time to live exceeded"},
	{V4, ICMP_TIMXCEED, ICMP_TIMXCEED_REASS, "fragments missing"},
	{V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOROUTE, "no route"},
	{V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADMIN, "administratively prohibited"},
	{V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_BEYONDSCOPE, "beyond scope of source"},
	{V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_ADDR, "address unreachable"},
	{V6, ICMP6_DST_UNREACH, ICMP6_DST_UNREACH_NOPORT, "port unreachable"},
	{V6, ICMP6_DST_UNREACH, 5, "source address failed policy"},
	{V6, ICMP6_DST_UNREACH, 6, "reject route"},
	{V6, ICMP6_PACKET_TOO_BIG, 0, "packet too big"},
	{V6, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_TRANSIT, "hop limit exceeded"},
	{V6, ICMP6_TIME_EXCEEDED, ICMP6_TIME_EXCEED_REASSEMBLY, "fragments missing"},
};

static void name_meaning(const struct sock_extended_err *reported, char *text, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(meanings); i++) {
		const struct meaning *meaning = &meanings[i];

		if (meaning->origin != reported->ee_origin || meaning->type != reported->ee_type ||
		    meaning->code != reported->ee_code)
			continue;
		if (reported->ee_errno == EMSGSIZE)
			snprintf(text, size, "%s, MTU %u", meaning->text, reported->ee_info);
		else
			snprintf(text, size, "%s", meaning->text);
		return;
	}
	snprintf(text, size, "ICMP type %u, code %u", reported->ee_type, reported->ee_code);
}

static void take_sender(struct address *from, const struct sockaddr *sender)
{
	from->length = sender->sa_family == AF_INET    ? sizeof(from->in4)
		       : sender->sa_family == AF_INET6 ? sizeof(from->in6)
						       : 0;
	memcpy(&from->sa, sender, from->length);
}

static void take(struct icmp_error *error, const struct sock_extended_err *reported)
{
	char host[ADDRESS_TEXT_MAX] = "a router";
	char text[64];

	error->remote = reported->ee_origin == V4 || reported->ee_origin == V6;
	error->too_large = reported->ee_errno == EMSGSIZE;
	if (error->too_large)
		error->mtu = reported->ee_info;
	if (!error->remote)
		return;
	error->port_unreachable = reported->ee_errno == ECONNREFUSED;
	take_sender(&error->from, SO_EE_OFFENDER(reported));
	if (error->from.length > 0)
		(void)getnameinfo(&error->from.sa, error->from.length, host, sizeof(host), NULL, 0,
				  NI_NUMERICHOST);
	name_meaning(reported, text, sizeof(text));
	snprintf(error->text, sizeof(error->text), "from %s: %s", host, text);
}

static bool is_report(const struct cmsghdr *control)
{
	return (control->cmsg_level == IPPROTO_IP && control->cmsg_type == IP_RECVERR) ||
	       (control->cmsg_level == IPPROTO_IPV6 && control->cmsg_type == IPV6_RECVERR);
}

int icmp_error_read(int fd, void *buffer, size_t size, struct icmp_error *error)
{
	_Alignas(struct cmsghdr) unsigned char control[CONTROL_SIZE];
	struct iovec part = {buffer, size};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control)};
	ssize_t length = recvmsg(fd, &message, MSG_ERRQUEUE);

	if (length < 0)
		return -1;
	*error = (struct icmp_error){.quoted = (size_t)length};
	for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = ancillary_next(&message, at)) {
		if (is_report(at))
			take(error, (const struct sock_extended_err *)CMSG_DATA(at));
	}
	return 0;
}
