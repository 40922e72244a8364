/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One receive with all that the kernel knows about it: the time of arrival, the TTL, the TOS.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

struct reception {
	uint64_t time;	/* when it came, on CLOCK_MONOTONIC */
	bool by_kernel; /* and that is the kernel's time, not ours after waking up */
	int ttl;	/* or hop limit; -1 when unknown, as always over TCP */
	int tos;	/* or traffic class; likewise */
	int fragment;	/* the largest it came in, a whole packet; 0: it came in one piece */
};

/* How far CLOCK_REALTIME is ahead of our clock; only a step of the wall clock changes it. */
uint64_t wall_clock_offset(void);

/* What turns the kernel's stamps, which are of the wall clock, into times of ours. */
struct receiver {
	int fd;		 /* not owned */
	uint64_t empty;	 /* when nothing waited in the socket: what is read came after that */
	uint64_t offset; /* wall_clock_offset() then */
};

/* Asks the kernel for what receive() reads; what it does not have is done without. */
void receive_prepare(struct receiver *receiver, int fd);

/* Also for the size of fragments. */
void receive_prepare_fragments(int fd);

/* As recv(2). A packet may have waited for any time, also while the wall clock was set. */
ssize_t receive(struct receiver *receiver, void *buffer, size_t size,
		struct reception *reception) WARN_UNUSED;

/*
 * When a packet came, on our clock: STAMP is the kernel's time of its arrival on CLOCK_REALTIME,
 * which was OFFSET ahead. 0 unless that is from FROM to TO: the wall clock was set since.
 */
static inline uint64_t wall_clock_convert(uint64_t stamp, uint64_t offset, uint64_t from,
					  uint64_t to)
{
	uint64_t time = stamp - offset;

	return time >= from && time <= to ? time : 0;
}
