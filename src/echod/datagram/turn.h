/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One turn of a datagram socket, UDP or unix: how much of what waits there is taken before others
 * of the loop have their turn, and what becomes of a socket that cannot be received from.
 */

#ifndef ECHOD_DATAGRAM_TURN_H
#define ECHOD_DATAGRAM_TURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "echod/counters/counters.h"

struct endpoint;
struct loop;

/*
 * One pass of the loop over its busy datagram sockets. libevent does not tell where a pass begins:
 * it must be a new one when a socket comes that already had its turn.
 */
struct datagram_round {
	unsigned number;
	unsigned sockets; /* that had their turn */
	unsigned sockets_before;
	int64_t left; /* of what they may take together */
};

/* Answers what the batch of the loop holds, COUNT messages. How many datagrams and bytes it was. */
struct taken {
	uint64_t datagrams;
	uint64_t bytes;
};
typedef struct taken datagram_answer(struct endpoint *endpoint, unsigned count);

void datagram_turn(struct endpoint *endpoint, bool with_notes, datagram_answer *answer);

/* The socket is let go of, or moves on: it counts as deaf no longer. */
void datagram_turn_end(struct endpoint *endpoint);

/* A loop's timer: the memory of a batch goes back when no more than single small ones came. */
void datagram_quiet(int fd, short what, void *arg);

#endif
