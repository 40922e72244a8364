/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Tries one size over UDP: three probes, with or without fragmentation, and their outcome. One size
 * at a time, so that probes of two sizes are never in flight together.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "probe/icmp_error.h"
#include "probe/receive.h"
#include "probe/target.h"

#define SIZE_PROBES 3
#define SIZES_KEPT 64 /* of the latest probes, for late replies */

struct prober {
	const struct target *target; /* not owned */
	int fd;			     /* owned */
	int family;
	uint64_t timeout;
	uint64_t slowest; /* round trip so far; 0: none */
	uint64_t run;
	uint64_t sequence; /* of the latest probe; the first is 1 */
	size_t sizes[SIZES_KEPT];
	struct receiver receiver;
	unsigned char *buffer; /* owned */
	uint64_t sent;
	uint64_t received;
};

/* What became of one size. */
struct outcome {
	size_t size; /* of the whole packet */
	unsigned sent;
	bool passed;
	uint64_t rtt;	 /* of the reply */
	size_t fragment; /* the largest that the reply came in; 0: it came whole */
	bool too_large;	 /* a router, or with OWN our own interface, reported that */
	bool own;
	uint32_t mtu;			 /* what it told; 0: nothing */
	char by[ADDRESS_TEXT_MAX];	 /* the router; empty: none */
	char error[ICMP_ERROR_TEXT_MAX]; /* another one; empty: none */
	size_t late;			 /* the largest other size of which a reply came */
};

/* Takes over the connected socket FD, also when it fails: -1 without memory. */
int prober_init(struct prober *prober, const struct target *target, int fd,
		uint64_t timeout) WARN_UNUSED;
void prober_clear(struct prober *prober);

/* IP and UDP header. */
size_t prober_overhead(const struct prober *prober);

size_t prober_least(const struct prober *prober); /* the smallest probe */
size_t prober_most(const struct prober *prober);  /* the largest packet that there is */

/*
 * MTU of our own interface, whatever the kernel believes of the path. Where it takes the largest
 * packet that there is, as loopback does, one is sent.
 */
size_t prober_interface(struct prober *prober);

/* From now on probes leave as one packet or not at all. */
void prober_forbid_fragments(const struct prober *prober);

/* Or they may be fragmented. Over IPv6 that is up to us: into packets of at most PASSED bytes. */
void prober_allow_fragments(const struct prober *prober, size_t passed);

/* -1 and errno: a probe could not be sent, but for its size; EINTR: we are to stop. */
int prober_try(struct prober *prober, size_t size, struct outcome *outcome) WARN_UNUSED;
