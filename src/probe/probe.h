/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The message that goes out and must come back: a header of 32 bytes (magic, run, sequence, send
 * time) and a pattern that depends on sequence and position. Every byte follows from the header
 * alone, so nothing that was sent has to be kept.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#define PROBE_HEADER_SIZE 32
#define PROBE_IDENTITY_SIZE 16 /* magic and run: what finds a header in a stream */
#define PROBE_SIZE_MIN PROBE_HEADER_SIZE
#define PROBE_SIZE_MAX (16u << 20)

/* After this many bytes the pattern restarts from another place. */
#define PROBE_BLOCK 32768u

struct probe {
	uint64_t run; /* random for each run and connection */
	uint64_t sequence;
	uint64_t time; /* nanoseconds of CLOCK_MONOTONIC */
};

/* Makes the pattern. Once, before anything else of this module and before any thread. */
void probe_prepare(void);

void probe_header(const struct probe *probe, unsigned char header[static PROBE_HEADER_SIZE]);

/* Writes the bytes from OFFSET on, LENGTH of them. */
void probe_write(const struct probe *probe, size_t offset, unsigned char *out, size_t length);

/*
 * The same without a copy: pieces that point into HEADER (filled in here) and into the pattern. How
 * many were used; they cover less than LENGTH when MAX of them do not suffice.
 */
int probe_pieces(const struct probe *probe, size_t offset, size_t length,
		 unsigned char header[static PROBE_HEADER_SIZE], struct iovec *pieces, int max);

/* How many bytes of DATA are those that belong at OFFSET: LENGTH when all of them are. */
size_t probe_match(const struct probe *probe, size_t offset, const unsigned char *data,
		   size_t length);

unsigned char probe_byte(const struct probe *probe, size_t offset);

/* Reads a header back; false when it does not start with the magic. */
bool probe_read(const unsigned char header[static PROBE_HEADER_SIZE], struct probe *probe);

/* The sequence alone, from where it stands in a header. */
uint64_t probe_sequence(const unsigned char header[static PROBE_IDENTITY_SIZE + 8]);
