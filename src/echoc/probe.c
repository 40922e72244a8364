/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Probes, written and checked. The pattern is a fixed table of random bytes; each block of a
 * message starts at a place in it that follows from sequence and block, so that writing is a copy
 * (or none at all) and checking is memcmp. Owns the table, which is never written again once
 * prepared.
 */

#include "config.h"

#include "probe.h"

#include <endian.h>
#include <string.h>

#define PATTERN_STARTS 32768u /* a power of two */

static const unsigned char magic[8] = {0xec, 0x0c, 'e', 'c', 'h', 'o', 'c', '1'};
static unsigned char pattern[PATTERN_STARTS + PROBE_BLOCK];

/* splitmix64: small, and good enough that no two places of the table look alike. */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

void probe_prepare(void)
{
	uint64_t state = 7;

	for (size_t i = 0; i < sizeof(pattern); i += sizeof(uint64_t)) {
		uint64_t word = htole64(next_random(&state));

		memcpy(pattern + i, &word, sizeof(word));
	}
}

/* Odd factors: PATTERN_STARTS sequences, or blocks, in a row start at as many different places. */
static const unsigned char *block_start(uint64_t sequence, uint64_t block)
{
	return pattern + ((sequence * 0x9e3779b1 + block * 0x85ebca77) & (PATTERN_STARTS - 1));
}

/* The longest piece of the table that serves the bytes from OFFSET of the body on. */
static const unsigned char *body_piece(const struct probe *probe, size_t offset, size_t *length)
{
	size_t within = offset % PROBE_BLOCK;

	if (*length > PROBE_BLOCK - within)
		*length = PROBE_BLOCK - within;
	return block_start(probe->sequence, offset / PROBE_BLOCK) + within;
}

void probe_header(const struct probe *probe, unsigned char header[static PROBE_HEADER_SIZE])
{
	uint64_t fields[3] = {htole64(probe->run), htole64(probe->sequence), htole64(probe->time)};

	memcpy(header, magic, sizeof(magic));
	memcpy(header + sizeof(magic), fields, sizeof(fields));
}

static size_t header_part(size_t offset, size_t length)
{
	if (offset >= PROBE_HEADER_SIZE)
		return 0;
	return length < PROBE_HEADER_SIZE - offset ? length : PROBE_HEADER_SIZE - offset;
}

int probe_pieces(const struct probe *probe, size_t offset, size_t length,
		 unsigned char header[static PROBE_HEADER_SIZE], struct iovec *pieces, int max)
{
	size_t part = header_part(offset, length);
	int count = 0;

	if (part > 0) {
		probe_header(probe, header);
		pieces[count++] = (struct iovec){header + offset, part};
		offset += part;
		length -= part;
	}
	while (length > 0 && count < max) {
		const unsigned char *piece;

		part = length;
		piece = body_piece(probe, offset - PROBE_HEADER_SIZE, &part);
		pieces[count++] = (struct iovec){(void *)(uintptr_t)piece, part};
		offset += part;
		length -= part;
	}
	return count;
}

void probe_write(const struct probe *probe, size_t offset, unsigned char *out, size_t length)
{
	unsigned char header[PROBE_HEADER_SIZE];
	size_t part = header_part(offset, length);

	if (part > 0) {
		probe_header(probe, header);
		memcpy(out, header + offset, part);
	}
	while ((out += part, offset += part, length -= part) > 0) {
		const unsigned char *piece;

		part = length;
		piece = body_piece(probe, offset - PROBE_HEADER_SIZE, &part);
		memcpy(out, piece, part);
	}
}

static size_t first_difference(const unsigned char *a, const unsigned char *b, size_t length)
{
	size_t i = 0;

	while (i < length && a[i] == b[i])
		i++;
	return i;
}

static size_t match_piece(const unsigned char *data, const unsigned char *expected, size_t length)
{
	if (memcmp(data, expected, length) == 0)
		return length;
	return first_difference(data, expected, length);
}

size_t probe_match(const struct probe *probe, size_t offset, const unsigned char *data,
		   size_t length)
{
	unsigned char header[PROBE_HEADER_SIZE];
	size_t part = header_part(offset, length);
	size_t matched = 0;

	if (part > 0) {
		probe_header(probe, header);
		if (part == PROBE_HEADER_SIZE && memcmp(data, header, PROBE_HEADER_SIZE) == 0)
			matched = part; /* of known size: a few instructions, no call */
		else
			matched = match_piece(data, header + offset, part);
		if (matched < part)
			return matched;
	}
	while (matched < length) {
		const unsigned char *piece;
		size_t same;

		part = length - matched;
		piece = body_piece(probe, offset + matched - PROBE_HEADER_SIZE, &part);
		same = match_piece(data + matched, piece, part);
		matched += same;
		if (same < part)
			return matched;
	}
	return length;
}

unsigned char probe_byte(const struct probe *probe, size_t offset)
{
	unsigned char byte;

	probe_write(probe, offset, &byte, 1);
	return byte;
}

bool probe_read(const unsigned char header[static PROBE_HEADER_SIZE], struct probe *probe)
{
	uint64_t fields[3];

	memcpy(fields, header + sizeof(magic), sizeof(fields));
	probe->run = le64toh(fields[0]);
	probe->sequence = le64toh(fields[1]);
	probe->time = le64toh(fields[2]);
	return memcmp(header, magic, sizeof(magic)) == 0;
}

uint64_t probe_sequence(const unsigned char header[static PROBE_IDENTITY_SIZE + 8])
{
	uint64_t sequence;

	memcpy(&sequence, header + PROBE_IDENTITY_SIZE, sizeof(sequence));
	return le64toh(sequence);
}
