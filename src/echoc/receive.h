/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One receive with everything the kernel tells about it: when it came, and with which TTL.
 */

#ifndef ECHOC_RECEIVE_H
#define ECHOC_RECEIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/compiler.h"

struct reception {
	uint64_t time;	/* when it came, on CLOCK_MONOTONIC */
	bool by_kernel; /* and that is the kernel's time, not ours after waking up */
	int ttl;	/* or hop limit; -1 when unknown, as always over TCP */
};

/* Asks the kernel for what receive() reads; what it does not have is done without. */
void receive_prepare(int fd);

/* As recv(2). */
ssize_t receive(int fd, void *buffer, size_t size, struct reception *reception) WARN_UNUSED;

#endif
