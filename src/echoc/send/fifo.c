/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A byte queue in a ring that doubles when it is full. Owns its memory; send keeps what it sent in
 * one, to compare it with what comes back.
 */

#include "config.h"

#include "echoc/send/fifo.h"

#include <stdlib.h>
#include <string.h>

#define SMALLEST 65536u

static size_t part_of(const struct fifo *fifo, size_t at, size_t length)
{
	size_t before_end = fifo->size - at;

	return length < before_end ? length : before_end;
}

/* The contents move to the front of the new memory. */
static int grow(struct fifo *fifo, size_t wanted)
{
	size_t size = fifo->size > 0 ? fifo->size : SMALLEST;
	size_t part;
	unsigned char *bytes;

	while (size < wanted)
		size *= 2;
	bytes = malloc(size);
	if (!bytes)
		return -1;
	if (fifo->count > 0) {
		part = part_of(fifo, fifo->first, fifo->count);
		memcpy(bytes, fifo->bytes + fifo->first, part);
		memcpy(bytes + part, fifo->bytes, fifo->count - part);
	}
	free(fifo->bytes);
	fifo->bytes = bytes;
	fifo->size = size;
	fifo->first = 0;
	return 0;
}

int fifo_append(struct fifo *fifo, const unsigned char *data, size_t length)
{
	size_t end, part;

	if (length == 0)
		return 0;
	if (fifo->count + length > fifo->size && grow(fifo, fifo->count + length) < 0)
		return -1;
	end = (fifo->first + fifo->count) % fifo->size;
	part = part_of(fifo, end, length);
	memcpy(fifo->bytes + end, data, part);
	memcpy(fifo->bytes, data + part, length - part);
	fifo->count += length;
	return 0;
}

void fifo_clear(struct fifo *fifo)
{
	free(fifo->bytes);
	memset(fifo, 0, sizeof(*fifo));
}

/* Byte by byte only where memcmp says that there is something to find. */
static size_t count_differing(const unsigned char *own, const unsigned char *data, size_t length,
			      size_t *first)
{
	size_t count = 0;

	if (memcmp(own, data, length) == 0)
		return 0;
	for (size_t i = 0; i < length; i++) {
		if (own[i] != data[i] && count++ == 0)
			*first = i;
	}
	return count;
}

size_t fifo_compare(struct fifo *fifo, const unsigned char *data, size_t length, size_t *differing,
		    size_t *at, unsigned char *expected)
{
	size_t taken = length < fifo->count ? length : fifo->count;
	size_t done = 0;

	*differing = 0;
	while (done < taken) {
		size_t part = part_of(fifo, fifo->first, taken - done);
		const unsigned char *own = fifo->bytes + fifo->first;
		size_t first = 0;
		size_t count = count_differing(own, data + done, part, &first);

		if (count > 0 && *differing == 0) {
			*at = done + first;
			*expected = own[first];
		}
		*differing += count;
		done += part;
		fifo->count -= part;
		fifo->first = (fifo->first + part) % fifo->size;
	}
	return taken;
}
