/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See udp_control.h. */

#include "config.h"

#include "echod/sockets/udp_control.h"

#include <netinet/udp.h>
#include <string.h>

#include "base/ancillary.h"

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

static bool carries_v4(int fd, int family)
{
	int only_v6 = 0;
	socklen_t size = sizeof(only_v6);

	if (family == AF_INET)
		return true;
	return getsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &only_v6, &size) == 0 && !only_v6;
}

int udp_control_enable(int fd, int family)
{
	bool v4 = carries_v4(fd, family), v6 = family == AF_INET6;

#define ENABLE(level, type, option, need, value, read, write)                                      \
	if ((option) != 0 && (need) == 0 && ((level) != SOL_IP || v4) &&                           \
	    ((level) != SOL_IPV6 || v6) && set(fd, level, option, 1) < 0)                          \
		return -1;
	UDP_CONTROL_MESSAGES(ENABLE)
	/*
	 * Routers on an IPv4 path may fragment our large replies, whatever was learned of the path.
	 */
	return v4 ? set(fd, SOL_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT) : 0;
}

/* Only what is wanted may be missed, and trains are not: an old kernel has none. */
static int switch_to(int fd, int level, int option, bool on)
{
	return set(fd, level, option, on) < 0 && on && level != SOL_UDP ? -1 : 0;
}

int udp_control_set(int fd, unsigned needs)
{
	int family = 0;
	socklen_t size = sizeof(family);
	bool v4, v6;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size) < 0)
		return -1;
	v4 = carries_v4(fd, family);
	v6 = family == AF_INET6;
#define SWITCH(level, type, option, need, value, read, write)                                      \
	if ((need) != 0 && ((level) != SOL_IP || v4) && ((level) != SOL_IPV6 || v6) &&             \
	    switch_to(fd, level, option, (needs & (need)) != 0) < 0)                               \
		return -1;
	UDP_CONTROL_MESSAGES(SWITCH)
	return 0;
}

static void map_v4(struct in6_addr *ip, struct in_addr v4)
{
	memset(ip, 0, sizeof(*ip));
	ip->s6_addr[10] = ip->s6_addr[11] = 0xff;
	memcpy(&ip->s6_addr[12], &v4, sizeof(v4));
}

static void read_address4(const void *data, struct udp_notes *notes)
{
	struct in_pktinfo info;

	memcpy(&info, data, sizeof(info));
	/*
	 * What arrived before IP_PKTINFO was set, on a socket that was handed to us, carries only
	 * the destination. Should that be a broadcast address, the kernel refuses it as a source.
	 */
	if (info.ipi_spec_dst.s_addr == INADDR_ANY && !IN_MULTICAST(ntohl(info.ipi_addr.s_addr)))
		info.ipi_spec_dst = info.ipi_addr;
	map_v4(&notes->destination, info.ipi_addr);
	map_v4(&notes->answer_from, info.ipi_spec_dst);
	notes->interface = (unsigned)info.ipi_ifindex;
	/* A destination that is not an address of ours is a broadcast or multicast one. */
	notes->to_group = info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr;
}

static void read_address6(const void *data, struct udp_notes *notes)
{
	struct in6_pktinfo info;

	memcpy(&info, data, sizeof(info));
	/* For IPv4 on a dual-stack socket the IPv4 message knows more: it is kept. */
	if (IN6_IS_ADDR_V4MAPPED(&info.ipi6_addr))
		return;
	notes->destination = info.ipi6_addr;
	notes->interface = info.ipi6_ifindex;
	notes->to_group = IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
	/* A group is no source; the kernel then chooses one. */
	notes->answer_from = notes->to_group ? in6addr_any : info.ipi6_addr;
}

static void read_hops(const void *data, struct udp_notes *notes)
{
	memcpy(&notes->hops, data, sizeof(notes->hops));
}

static void read_tos(const void *data, struct udp_notes *notes)
{
	notes->tos = *(const uint8_t *)data;
}

static void read_class(const void *data, struct udp_notes *notes)
{
	memcpy(&notes->tos, data, sizeof(notes->tos));
}

static void read_time(const void *data, struct udp_notes *notes)
{
	memcpy(&notes->received, data, sizeof(notes->received));
}

static void read_segment(const void *data, struct udp_notes *notes)
{
	int segment;

	memcpy(&segment, data, sizeof(segment));
	if (segment > 0)
		notes->segment = (unsigned)segment;
}

static void read_nothing(const void *data UNUSED, struct udp_notes *notes UNUSED)
{
}

/* Skips a message that is too short for its type. */
static inline void read_message(const struct cmsghdr *cmsg, struct udp_notes *notes)
{
#define READ(level, type, option, need, value, read, write)                                        \
	if (cmsg->cmsg_level == (level) && cmsg->cmsg_type == (type)) {                            \
		if (cmsg->cmsg_len >= CMSG_LEN(sizeof(value)))                                     \
			read(CMSG_DATA(cmsg), notes);                                              \
		return;                                                                            \
	}
	UDP_CONTROL_MESSAGES(READ)
}

void udp_control_read(const struct msghdr *message, struct udp_notes *notes)
{
	const char *end = (const char *)message->msg_control + message->msg_controllen;

	memset(notes, 0, sizeof(*notes));
	notes->hops = -1;
	notes->tos = -1;
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(message); cmsg;
	     cmsg = ancillary_next(message, cmsg)) {
		if (cmsg->cmsg_len > (size_t)(end - (const char *)cmsg))
			return;
		read_message(cmsg, notes);
	}
}

/* Appends one message at *USED; equal messages are equal bytes. */
static INLINED void put(union control *control, size_t *used, int level, int type,
			const void *value, size_t size)
{
	struct cmsghdr *cmsg = (struct cmsghdr *)(void *)(control->bytes + *used);

	memset(cmsg, 0, CMSG_SPACE(size));
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = (socklen_t)CMSG_LEN(size); /* musl's type */
	memcpy(CMSG_DATA(cmsg), value, size);
	*used += CMSG_SPACE(size);
}

static bool write_address4(const struct udp_notes *notes, const struct udp_answer *answer UNUSED,
			   struct in_pktinfo *info)
{
	memset(info, 0, sizeof(*info));
	memcpy(&info->ipi_spec_dst, &notes->answer_from.s6_addr[12], sizeof(info->ipi_spec_dst));
	return true;
}

static bool write_address6(const struct udp_notes *notes, const struct udp_answer *answer UNUSED,
			   struct in6_pktinfo *info)
{
	*info = (struct in6_pktinfo){.ipi6_addr = notes->answer_from};
	/* Only a link-local address needs its interface; others follow the routes. */
	if (IN6_IS_ADDR_LINKLOCAL(&notes->destination) || notes->to_group)
		info->ipi6_ifindex = notes->interface;
	return true;
}

static bool write_hops(const struct udp_notes *notes UNUSED, const struct udp_answer *answer,
		       int *hops)
{
	*hops = answer->hops;
	return answer->hops > 0;
}

static bool write_tos(const struct udp_notes *notes UNUSED, const struct udp_answer *answer,
		      uint8_t *tos)
{
	*tos = (uint8_t)answer->tos;
	return answer->tos >= 0;
}

static bool write_class(const struct udp_notes *notes UNUSED, const struct udp_answer *answer,
			int *tos)
{
	*tos = answer->tos;
	return answer->tos >= 0;
}

static bool write_segment(const struct udp_notes *notes UNUSED, const struct udp_answer *answer,
			  uint16_t *size)
{
	*size = (uint16_t)answer->segment;
	return answer->segment > 0;
}

static bool write_nothing(const struct udp_notes *notes UNUSED,
			  const struct udp_answer *answer UNUSED, void *value UNUSED)
{
	return false;
}

/* All but those of the other family; how much was written. FAMILY_LEVEL is constant. */
static inline size_t write_messages(union control *control, const struct udp_notes *notes,
				    const struct udp_answer *answer, int family_level)
{
	size_t used = 0;

#define WRITE(level, type, option, need, value, read, write)                                       \
	if (((level) != SOL_IP && (level) != SOL_IPV6) || (level) == family_level) {               \
		value data;                                                                        \
                                                                                                   \
		if (write(notes, answer, &data))                                                   \
			put(control, &used, level, type, &data, sizeof(data));                     \
	}
	UDP_CONTROL_MESSAGES(WRITE)
	return used;
}

void udp_control_write(struct msghdr *message, union control *control,
		       const struct udp_notes *notes, const struct udp_answer *answer)
{
	message->msg_control = control;
	message->msg_controllen =
		(socklen_t)(answer->v4 ? write_messages(control, notes, answer, SOL_IP)
				       : write_messages(control, notes, answer, SOL_IPV6));
}

void udp_control_add_segment(struct msghdr *message, union control *control, unsigned segment)
{
	uint16_t size = (uint16_t)segment;
	size_t used = message->msg_controllen;

	put(control, &used, SOL_UDP, UDP_SEGMENT, &size, sizeof(size));
	message->msg_controllen = (socklen_t)used;
}
