/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The control messages of a datagram: what the kernel adds to one that arrived (where it was sent
 * to, its hops, whether it is a train) and what we add to the reply (which source address, which
 * hop limit, how to cut it). Keeps nothing.
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "base/compiler.h"

/* What not every mode needs of its sockets; the rest of the notes comes always. */
enum {
	NEEDS_TRAINS = 1, /* many datagrams at once, with one time and one traffic class */
	NEEDS_TOS = 2,
	NEEDS_RECEIVE_TIME = 4
};

/*
 * Every control message that may come with a datagram or leave with its reply: its level and type,
 * the option that asks for it (0: none does) and the need for that (0: always), its value, and what
 * reads and writes that. A dual-stack socket gets those of both families, a reply those of one.
 * udp_control.c expands it.
 */
#define UDP_CONTROL_MESSAGES(MESSAGE)                                                              \
	MESSAGE(SOL_IP, IP_PKTINFO, IP_PKTINFO, 0, struct in_pktinfo, read_address4,               \
		write_address4)                                                                    \
	MESSAGE(SOL_IP, IP_TTL, IP_RECVTTL, 0, int, read_hops, write_hops)                         \
	MESSAGE(SOL_IPV6, IPV6_PKTINFO, IPV6_RECVPKTINFO, 0, struct in6_pktinfo, read_address6,    \
		write_address6)                                                                    \
	MESSAGE(SOL_IPV6, IPV6_HOPLIMIT, IPV6_RECVHOPLIMIT, 0, int, read_hops, write_hops)         \
	MESSAGE(SOL_IP, IP_TOS, IP_RECVTOS, NEEDS_TOS, uint8_t, read_tos, write_tos)               \
	MESSAGE(SOL_IPV6, IPV6_TCLASS, IPV6_RECVTCLASS, NEEDS_TOS, int, read_class, write_class)   \
	MESSAGE(SOL_UDP, UDP_GRO, UDP_GRO, NEEDS_TRAINS, int, read_segment, write_nothing)         \
	MESSAGE(SOL_SOCKET, SCM_TIMESTAMPNS, SO_TIMESTAMPNS, NEEDS_RECEIVE_TIME, struct timespec,  \
		read_time, write_nothing)                                                          \
	MESSAGE(SOL_UDP, UDP_SEGMENT, 0, 0, uint16_t, read_nothing, write_segment)

/* Room for all of them, more than any kernel delivers or a reply needs. */
#define UDP_CONTROL_SPACE(level, type, option, need, value, read, write) +CMSG_SPACE(sizeof(value))
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
	int hops;		  /* -1: unknown */
	int tos;		  /* TOS or traffic class; -1: unknown */
	unsigned segment;	  /* size of each datagram of a train, 0: a single one */
	struct timespec received; /* CLOCK_REALTIME; 0: unknown */
	bool to_group;		  /* sent to a broadcast or multicast address */
};

/* What a reply leaves with, besides its source address. */
struct udp_answer {
	bool v4;	  /* the peer is IPv4, maybe v4-mapped */
	int hops;	  /* 0: the kernel's */
	int tos;	  /* TOS or traffic class; -1: the kernel's */
	unsigned segment; /* 0: one datagram */
};

/* Enables what always comes, for IPv4 too if an IPv6 one carries both; -1 with errno. */
int udp_control_enable(int fd, int family) WARN_UNUSED;

/*
 * Enables what NEEDS_ bits ask for, and disables what else depends on them; -1 with errno when the
 * kernel refuses to enable something. It may have no trains: plain batches then.
 */
int udp_control_set(int fd, unsigned needs) WARN_UNUSED;

/* Takes apart what recvmsg delivered; skips what is unknown or malformed. */
void udp_control_read(const struct msghdr *message, struct udp_notes *notes);

/* Writes the messages for the reply to what had these NOTES into CONTROL and MESSAGE. */
void udp_control_write(struct msghdr *message, union control *control,
		       const struct udp_notes *notes, const struct udp_answer *answer);

/* Adds to messages written so what makes it a train. */
void udp_control_add_segment(struct msghdr *message, union control *control, unsigned segment);
