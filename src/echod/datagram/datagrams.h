/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What all datagram sockets of one loop share: the batch that is received into and sent from, what
 * was sent again and again, and whose turn it is. Made and freed by the worker; only the files of
 * this folder look into it.
 */

#pragma once

#include <event2/event_struct.h>
#include <stdint.h>

#include "base/compiler.h"
#include "echod/datagram/batch.h"
#include "echod/datagram/modes/mode.h"

struct event_base;
struct udp_repeats;

/*
 * One pass of the loop over its busy datagram sockets. libevent does not show where a pass
 * begins: a new one has begun when a socket comes up that already had its turn.
 */
struct datagram_round {
	unsigned number;
	unsigned sockets; /* that had their turn */
	unsigned sockets_before;
	int64_t left; /* of what they may take together */
};

struct datagrams {
	struct udp_batch *batch;
	struct udp_repeats *repeats;
	struct event quiet; /* pending while the batch holds memory that may go back */
	struct datagram_round round;

	/* Of modes other than plain echo: what each reply in the batch answers. */
	struct question questions[BATCH_SIZE];
	struct mode_state mode_state;
};

/* NULL when there is no memory. */
struct datagrams *datagrams_new(struct event_base *base) WARN_UNUSED;
void datagrams_free(struct datagrams *datagrams);

/* More of the batch than its first page was used; the memory goes back after a quiet second. */
void datagrams_note_use(struct datagrams *datagrams);
