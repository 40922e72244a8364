/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One turn of a datagram socket, UDP or unix: how much of what waits there is taken before others
 * of the loop have their turn, and what becomes of a socket that cannot be received from.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct endpoint;

/* Answers what the batch of the loop holds, COUNT messages. How many datagrams and bytes it was. */
struct taken {
	uint64_t datagrams;
	uint64_t bytes;
};
typedef struct taken datagram_answer(struct endpoint *endpoint, unsigned count);

void datagram_turn(struct endpoint *endpoint, bool with_notes, datagram_answer *answer);

/* The socket is no longer served, or receives again: it counts as deaf no longer. */
void datagram_turn_end(struct endpoint *endpoint);

/* Before a socket is closed: turns until nothing waits there, or a tenth of a second is over. */
void datagram_turn_rest(struct endpoint *endpoint);
