/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The sending side of a TCP connection: which byte of which probe goes next. A send that takes less
 * than was offered leaves nothing to keep, since every byte can be made again.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/flow.h"

struct writer {
	uint64_t sequence; /* the probe whose bytes go next */
	size_t offset;	   /* how many of them have gone */
};

/* Starts with the oldest probe that waits, or else the next; also after a reconnect. */
void writer_start(struct writer *writer, const struct flow *flow);

/* True while probes that the flow has sent off are not wholly with the kernel. */
bool writer_pending(const struct writer *writer, const struct flow *flow);

/*
 * Hands over as much as the socket takes, made in SCRATCH. When sending fails the connection is
 * ended, for its reader to find out, after all that had come before, which counts.
 */
void writer_flush(struct writer *writer, const struct flow *flow, int fd, unsigned char *scratch,
		  size_t size);
