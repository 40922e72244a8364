/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The memory that datagrams pass through: a fixed batch of buffers for recvmmsg, and for sendmmsg
 * the replies that point into them. One for each worker, used by whichever of its sockets has
 * something. Only what is used of it is ever backed by memory.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/address.h"
#include "base/compiler.h"
#include "echod/sockets/udp_control.h"

#define BATCH_SIZE 64
#define DATAGRAM_MAX 65536 /* larger than any datagram, and than any train the kernel makes */

/* Every kernel that segments accepts this many datagrams in one call. */
#define SEGMENTS_MAX 64
#define PEER_PLACES 1024

/* This much of it is worth keeping: the page that single small datagrams need. */
#define BATCH_KEPT 4096

/* A reply on its way: which of what arrived, and how many datagrams it is. */
struct udp_reply {
	unsigned segment; /* of a train; 0: a single datagram */
	unsigned datagrams;
	unsigned index; /* udp_batch_reply sets it */
};

struct udp_batch {
	struct mmsghdr in[BATCH_SIZE];
	struct iovec in_data[BATCH_SIZE];
	union control in_control[BATCH_SIZE];
	struct address peers[BATCH_SIZE];

	struct mmsghdr out[BATCH_SIZE];
	struct iovec out_data[BATCH_SIZE];
	union control out_control[BATCH_SIZE];
	struct udp_reply replies[BATCH_SIZE];
	unsigned out_count;

	uint8_t latest[PEER_PLACES]; /* number of the last reply to a peer, by its port: a hint */
	bool used;		     /* lately, and beyond BATCH_KEPT */
	enum { TRAINS_UNKNOWN, TRAINS_SENT, TRAINS_UNSENT } trains; /* whether this kernel cuts */
	struct {
		int64_t until; /* clock_ms; 0: nothing was refused */
		size_t size;
	} refused[PEER_PLACES]; /* segments of this size or more, to a peer with that place */

	char (*payload)[DATAGRAM_MAX];
};

/* NULL when there is no memory. */
struct udp_batch *udp_batch_new(void) WARN_UNUSED;
void udp_batch_free(struct udp_batch *batch);

/*
 * Fills the batch with what waits on FD, at most MOST messages: how many, 0 when there is nothing,
 * -1 with errno when receiving fails. No replies yet. WITH_NOTES: and the control messages; never
 * on a unix socket, where a sender could make us take descriptors with them.
 */
int udp_batch_receive(struct udp_batch *batch, int fd, bool with_notes, unsigned most);

/* What came is answered and will not be looked at again: its memory goes back to the system. */
void udp_batch_give_back(struct udp_batch *batch);

/*
 * Adds the reply to what arrived as number INDEX: SIZE bytes of it, control messages still to be
 * set.
 */
struct msghdr *udp_batch_reply(struct udp_batch *batch, unsigned index, size_t size,
			       struct udp_reply reply);
