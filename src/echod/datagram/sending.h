/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sends the replies of a batch, and those of a train that cannot go as one in pieces. Used by both
 * datagram paths; owns nothing.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

struct datagram_mode;
struct question;
struct udp_batch;

struct udp_sent {
	unsigned datagrams; /* handed to the kernel */
	unsigned dropped;   /* refused by it */
	size_t bytes;
	int error;	/* why the first one was, if any */
	unsigned index; /* of what that one answers */
};

/* Sends the replies. PER_PEER: a peer that is not read from holds up only itself (unix sockets). */
struct udp_sent udp_batch_send(struct udp_batch *batch, int fd, bool per_peer);

/*
 * The same for replies of a mode, each to the question with its number: sealed a few at a time,
 * right before they are sent.
 */
struct udp_sent udp_batch_send_sealed(struct udp_batch *batch, int fd,
				      const struct datagram_mode *mode, struct question *questions);
