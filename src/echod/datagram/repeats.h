/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Notices a source that sends one payload again and again, as an echo server does that was made to
 * answer us: with a fresh TTL each time nothing else ends that loop. Such a loop dies with one
 * datagram; a client that never changes its payload loses one in 256 MiB. Looks at a random 1 in 64
 * of all datagrams, in a table of fixed size. One for each worker, which owns it.
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/siphash.h"

#define REPEATS_WAYS 4
#define REPEATS_SETS 1024

struct udp_repeats {
	unsigned skip; /* datagrams until the next look */
	uint64_t looks;
	struct siphash_key hash_key;
	struct repeats_entry {
		uint64_t payload; /* a keyed hash of it, its source and its listener; 0: free */
		int64_t drained_at;
	} entries[REPEATS_SETS][REPEATS_WAYS];
};

/* NULL when there is no memory. */
struct udp_repeats *udp_repeats_new(void) WARN_UNUSED;
void udp_repeats_free(struct udp_repeats *repeats);

void udp_repeats_draw(struct udp_repeats *repeats);

/* For each datagram, or train: whether to look at this one. */
static inline bool udp_repeats_due(struct udp_repeats *repeats)
{
	if (--repeats->skip > 0)
		return false;
	udp_repeats_draw(repeats);
	return true;
}

struct repeat {
	uint64_t tag; /* of the listener */
	const struct in6_addr *source;
	uint16_t source_port;
	unsigned datagrams; /* how many came; what follows is the last one */
	const char *payload;
	size_t size;
};

/*
 * Notes one that was looked at, at NOW (CLOCK_MONOTONIC, nanoseconds). True when it came so often
 * that it should not be answered this time.
 */
bool udp_repeats_add(struct udp_repeats *repeats, const struct repeat *repeat, int64_t now);
