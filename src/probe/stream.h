/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Replies out of a byte stream: follows the expected bytes in their order, and synchronizes again
 * after a greeting, a prefix, missing bytes, or missing or repeated probes.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "probe/flow.h"

/* A reply is complete. It may be one that had its reply before. */
typedef void stream_message(void *context, uint64_t sequence, const struct finding *finding,
			    size_t bytes);

struct stream {
	const struct flow *flow; /* not owned */
	uint64_t sequence;	 /* whose bytes come now */
	uint64_t following;	 /* which comes after it */
	size_t at;		 /* bytes of it that came */
	struct finding finding;	 /* about it, so far */
	bool muted;		 /* it was settled already: no report when it is complete */
	bool astray;		 /* the bytes do not fit: looking for a header */
	uint64_t junk;		 /* bytes that came astray while no reply was due */
	uint64_t unseen;	 /* settled by its size only, its header was not found */
	size_t matched;		 /* bytes of a header that seem to have come */
	unsigned char header[PROBE_HEADER_SIZE];
};

/*
 * Starts with the oldest sequence that waits, or else the next that the flow sends; also after a
 * reconnect. What waits then has not been sent.
 */
void stream_start(struct stream *stream, const struct flow *flow);

/* Takes in what came; calls MESSAGE for each reply that it completes. */
void stream_feed(struct stream *stream, const unsigned char *data, size_t length,
		 stream_message *message, void *context);

/*
 * How many bytes came of SEQUENCE, which is not complete, and what they are to be called; 0 when
 * none did.
 */
size_t stream_partial(const struct stream *stream, uint64_t sequence, struct finding *finding);

/* Bytes that came and belong to no probe. */
uint64_t stream_unexpected(const struct stream *stream);

/* Counts them in the flow's books, as one piece. Once, before the next stream_start. */
void stream_count_unexpected(const struct stream *stream);
