/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Probes, written and checked. The pattern is a fixed table of random bytes; each block of a
 * message starts at a place in it that follows from sequence and block, so that writing is a copy
 * (or none at all) and checking is memcmp. Owns the table, which is never written again once
 * prepared.
 */

#include "config.h"

#include "probe/probe.h"

#include <endian.h>
#include <string.h>

#include "base/compiler.h"

#define PATTERN_STARTS 4096u /* a power of two; small enough to stay in the nearest cache */

/* As bytes: ec 0c 'echoc1'. */
#define MAGIC UINT64_C(0x31636f6863650cec)

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

static inline void put_word(unsigned char *out, uint64_t value)
{
	uint64_t word = htole64(value);

	memcpy(out, &word, sizeof(word));
}

static inline uint64_t get_word(const unsigned char *data)
{
	uint64_t word;

	memcpy(&word, data, sizeof(word));
	return le64toh(word);
}

static inline void put_header(const struct probe *probe, unsigned char *header)
{
	put_word(header, MAGIC);
	put_word(header + 8, probe->run);
	put_word(header + 16, probe->sequence);
	put_word(header + 24, probe->time);
}

static inline bool has_header(const struct probe *probe, const unsigned char *data)
{
	return get_word(data) == MAGIC && get_word(data + 8) == probe->run &&
	       get_word(data + 16) == probe->sequence && get_word(data + 24) == probe->time;
}

void probe_header(const struct probe *probe, unsigned char header[static PROBE_HEADER_SIZE])
{
	put_header(probe, header);
}

/* A probe from its beginning, all of its body in one piece: what nearly every call is about. */
static inline bool is_plain(size_t offset, size_t length)
{
	return offset == 0 && length >= PROBE_HEADER_SIZE &&
	       length <= PROBE_HEADER_SIZE + PROBE_BLOCK;
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

/* Kept apart, so that the short way is short. */
NOT_INLINED
static void write_pieces(const struct probe *probe, size_t offset, unsigned char *out,
			 size_t length)
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

void probe_write(const struct probe *probe, size_t offset, unsigned char *out, size_t length)
{
	if (!is_plain(offset, length)) {
		write_pieces(probe, offset, out, length);
		return;
	}
	put_header(probe, out);
	memcpy(out + PROBE_HEADER_SIZE, block_start(probe->sequence, 0),
	       length - PROBE_HEADER_SIZE);
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

NOT_INLINED
static size_t match_pieces(const struct probe *probe, size_t offset, const unsigned char *data,
			   size_t length)
{
	unsigned char header[PROBE_HEADER_SIZE];
	size_t part = header_part(offset, length);
	size_t matched = 0;

	if (part > 0) {
		put_header(probe, header);
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

/* Of a probe that is plain. */
static inline bool is_intact(const struct probe *probe, const unsigned char *data, size_t length)
{
	return has_header(probe, data) &&
	       memcmp(data + PROBE_HEADER_SIZE, block_start(probe->sequence, 0),
		      length - PROBE_HEADER_SIZE) == 0;
}

size_t probe_match(const struct probe *probe, size_t offset, const unsigned char *data,
		   size_t length)
{
	if (is_plain(offset, length) && is_intact(probe, data, length))
		return length;
	return match_pieces(probe, offset, data, length);
}

unsigned char probe_byte(const struct probe *probe, size_t offset)
{
	unsigned char byte;

	probe_write(probe, offset, &byte, 1);
	return byte;
}

bool probe_read(const unsigned char header[static PROBE_HEADER_SIZE], struct probe *probe)
{
	probe->run = get_word(header + 8);
	probe->sequence = get_word(header + 16);
	probe->time = get_word(header + 24);
	return get_word(header) == MAGIC;
}

uint64_t probe_sequence(const unsigned char header[static PROBE_IDENTITY_SIZE + 8])
{
	return get_word(header + PROBE_IDENTITY_SIZE);
}
