/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* How TCP copes with a path: how large its segments are, and whether full ones pass. */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "probe/target.h"

enum stall { STALL_NONE, STALL_THERE, STALL_BACK };

struct segments {
	bool answered;	  /* a small message was */
	bool corrupt;	  /* what came back is not what was sent */
	bool interrupted; /* by a signal, before all was sent and came back */
	enum stall stall; /* of full segments */
	size_t interface; /* MTU of our own */
	size_t header;	  /* IP, TCP and its options, of each packet */
	size_t mss;	  /* of what is sent, without options */
	size_t received;  /* largest segment that came */
	size_t known_mtu; /* of the path, as the kernel knew it at the start */
	size_t path_mtu;  /* and at the end */
	uint64_t retransmits;
};

/*
 * Over the connected socket FD, which it does not close; INTERFACE is our own MTU. -1 without
 * memory.
 */
int segments_try(struct segments *segments, const struct target *target, int fd, size_t interface,
		 uint64_t timeout) WARN_UNUSED;

/* The largest packet that TCP sends there, header included. */
size_t segments_packet(const struct segments *segments);
