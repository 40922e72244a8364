/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The control messages of a datagram: what the kernel adds to one that arrived (where it was sent
 * to, its hops, whether it is a train) and what we add to the reply (which source address, which
 * hop limit, how to cut it). Reads and writes memory only.
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "base/compiler.h"

/*
 * Every control message that may come with a datagram: its level and type, the option that asks for
 * it (0: only a service manager can have asked, on a socket that it hands over), its value, and
 * what reads that. A dual-stack socket gets those of both families. udp_control.c expands it.
 */
#define UDP_CONTROL_MESSAGES(MESSAGE)                                                              \
	MESSAGE(SOL_IP, IP_PKTINFO, IP_PKTINFO, struct in_pktinfo, read_address4)                  \
	MESSAGE(SOL_IP, IP_TTL, IP_RECVTTL, int, read_hops)                                        \
	MESSAGE(SOL_IPV6, IPV6_PKTINFO, IPV6_RECVPKTINFO, struct in6_pktinfo, read_address6)       \
	MESSAGE(SOL_IPV6, IPV6_HOPLIMIT, IPV6_RECVHOPLIMIT, int, read_hops)                        \
	MESSAGE(SOL_UDP, UDP_GRO, UDP_GRO, int, read_segment)                                      \
	MESSAGE(SOL_SOCKET, SCM_TIMESTAMPNS, 0, struct timespec, read_nothing)

/* Room for all of them; those of a reply are fewer. */
#define UDP_CONTROL_SPACE(level, type, option, value, read) +CMSG_SPACE(sizeof(value))
#define CONTROL_SIZE (0 UDP_CONTROL_MESSAGES(UDP_CONTROL_SPACE))

union control {
	char bytes[CONTROL_SIZE];
	struct cmsghdr align;
};

/* What came with a datagram; addresses in canonical form. */
struct udp_notes {
	struct in6_addr destination;
	struct in6_addr answer_from; /* what a reply's source must be */
	unsigned interface;
	int hops;	  /* -1: unknown */
	unsigned segment; /* size of each datagram of a train, 0: a single one */
	bool to_group;	  /* sent to a broadcast or multicast address */
};

/* Enables all of it on a UDP socket, for IPv4 too if an IPv6 one carries both. */
int udp_control_enable(int fd, int family) WARN_UNUSED;

/* Takes apart what recvmsg delivered; skips what is unknown or malformed. */
void udp_control_read(const struct msghdr *message, struct udp_notes *notes);

/*
 * Writes the messages for the reply into CONTROL and MESSAGE. V4: the peer is IPv4, maybe
 * v4-mapped. HOPS 0 leaves the hop limit to the kernel, SEGMENT 0 sends it as one datagram.
 */
void udp_control_write(struct msghdr *message, union control *control,
		       const struct udp_notes *notes, bool v4, int hops, unsigned segment);

/* Adds to messages written so what makes it a train. */
void udp_control_add_segment(struct msghdr *message, union control *control, unsigned segment);
