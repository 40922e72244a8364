/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The control messages of a datagram: what the kernel tells of one that arrived (where it was sent
 * to, its hops, whether it is a train) and what we tell it of the reply (which source address,
 * which hop limit, how to cut it). Reads and writes memory only.
 */

#ifndef ECHOD_SOCKETS_UDP_CONTROL_H
#define ECHOD_SOCKETS_UDP_CONTROL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "base/compiler.h"

/*
 * Room for the messages of both families together, as a dual-stack socket gets them, and for the
 * time that a service manager may have asked for on a socket it hands over.
 */
#define CONTROL_SIZE                                                                               \
	(CMSG_SPACE(sizeof(struct in_pktinfo)) + CMSG_SPACE(sizeof(struct in6_pktinfo)) +          \
	 3 * CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec)))

union control {
	char bytes[CONTROL_SIZE];
	struct cmsghdr align;
};

/* What came with a datagram; addresses in canonical form. */
struct udp_notes {
	struct in6_addr destination;
	struct in6_addr answer_from; /* what a reply's source must be */
	unsigned interface;
	int hops;	  /* -1: not told */
	unsigned segment; /* size of each datagram of a train, 0: a single one */
	bool to_group;	  /* sent to a broadcast or multicast address */
};

/* Asks for all of it on a UDP socket, for IPv4 too when an IPv6 one carries both. */
int udp_control_enable(int fd, int family) WARN_UNUSED;

/* Takes apart what recvmsg delivered; anything unknown or malformed is passed over. */
void udp_control_read(const struct msghdr *message, struct udp_notes *notes);

/*
 * Writes the messages for the reply into CONTROL and MESSAGE. V4: the peer is IPv4, be it
 * v4-mapped. HOPS 0 leaves the hop limit to the kernel, SEGMENT 0 sends it as one datagram.
 */
void udp_control_write(struct msghdr *message, union control *control,
		       const struct udp_notes *notes, bool v4, int hops, unsigned segment);

/* Adds to messages written so what makes it a train. */
void udp_control_add_segment(struct msghdr *message, union control *control, unsigned segment);

#endif
