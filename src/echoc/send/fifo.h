/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Bytes that were sent and have not come back yet, in order. Its size is bounded by what its user
 * has in flight.
 */

#pragma once

#include <stddef.h>

#include "base/compiler.h"

struct fifo {
	unsigned char *bytes;
	size_t size;
	size_t first;
	size_t count;
};

/* -1 without memory; nothing is appended then. */
int fifo_append(struct fifo *fifo, const unsigned char *data, size_t length) WARN_UNUSED;
void fifo_clear(struct fifo *fifo);

/*
 * Takes the next bytes out and compares them with DATA, which has at least as many; how many bytes
 * were taken. *DIFFERING of them differ, the first at *AT, where *EXPECTED was.
 */
size_t fifo_compare(struct fifo *fifo, const unsigned char *data, size_t length, size_t *differing,
		    size_t *at, unsigned char *expected);
