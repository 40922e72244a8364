/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The encoding of probes: every byte is checked, and depends on its position and on the sequence.
 */

#include "config.h"

#include "probe/probe.h"
#include "support/test.h"

#define MIB (1u << 20)

static const struct probe sample = {
	.run = 0x1122334455667788, .sequence = 41, .time = 0x0102030405060708};

static unsigned char *written(const struct probe *probe, size_t size)
{
	unsigned char *bytes = malloc(size);

	ck_assert_ptr_nonnull(bytes);
	probe_write(probe, 0, bytes, size);
	return bytes;
}

TEST_CASE("probe", probe_prepare);

TEST(a_header_reads_back)
{
	unsigned char header[PROBE_HEADER_SIZE];
	struct probe read;

	probe_header(&sample, header);
	ck_assert(probe_read(header, &read));
	ck_assert_mem_eq(&read, &sample, sizeof(read));
	ck_assert_uint_eq(probe_sequence(header), sample.sequence);
	header[0] ^= 1;
	ck_assert(!probe_read(header, &read));
}

TEST(every_flipped_bit_is_found_where_it_is)
{
	const size_t size = 200;
	unsigned char *bytes = written(&sample, size);

	ck_assert_uint_eq(probe_match(&sample, 0, bytes, size), size);
	for (size_t bit = 0; bit < size * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_uint_eq(probe_match(&sample, 0, bytes, size), bit / 8);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	free(bytes);
}

TEST(a_large_probe_is_checked_to_its_last_byte)
{
	unsigned char *bytes = written(&sample, MIB);
	const size_t places[] = {0, 31, 32, 32767, 32768, 32800, 500001, MIB - 1};

	ck_assert_uint_eq(probe_match(&sample, 0, bytes, MIB), MIB);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		bytes[places[i]] ^= 0x40;
		ck_assert_uint_eq(probe_match(&sample, 0, bytes, MIB), places[i]);
		bytes[places[i]] ^= 0x40;
	}
	free(bytes);
}

TEST(any_part_is_written_and_checked_like_the_whole)
{
	const size_t size = 100000;
	unsigned char *bytes = written(&sample, size);
	unsigned char part[5000];

	for (size_t offset = 0; offset + sizeof(part) < size; offset += 777) {
		size_t length = offset % sizeof(part) + 1;

		probe_write(&sample, offset, part, length);
		ck_assert_mem_eq(part, bytes + offset, length);
		ck_assert_uint_eq(probe_match(&sample, offset, bytes + offset, length), length);
		ck_assert_uint_eq(probe_byte(&sample, offset), bytes[offset]);
	}
	free(bytes);
}

TEST(pieces_are_the_same_bytes_without_a_copy)
{
	unsigned char header[PROBE_HEADER_SIZE];
	unsigned char *bytes = written(&sample, MIB);
	struct iovec pieces[40];

	for (size_t offset = 0; offset < MIB; offset += 99991) {
		int count = probe_pieces(&sample, offset, MIB - offset, header, pieces, 40);
		size_t at = offset;

		for (int i = 0; i < count; i++) {
			ck_assert_mem_eq(pieces[i].iov_base, bytes + at, pieces[i].iov_len);
			at += pieces[i].iov_len;
		}
		ck_assert_uint_eq(at, MIB);
	}
	free(bytes);
}

TEST(neighbouring_sequences_differ_in_their_pattern)
{
	unsigned char first[64], second[64];

	for (uint64_t sequence = 1; sequence < 5000; sequence++) {
		struct probe a = {sample.run, sequence, sample.time};
		struct probe b = {sample.run, sequence + 1, sample.time};

		probe_write(&a, PROBE_HEADER_SIZE, first, sizeof(first));
		probe_write(&b, PROBE_HEADER_SIZE, second, sizeof(second));
		ck_assert_mem_ne(first, second, sizeof(first));
	}
}

TEST(blocks_that_changed_places_are_found)
{
	unsigned char *bytes = written(&sample, 8 * PROBE_BLOCK);
	unsigned char *block = malloc(PROBE_BLOCK);
	size_t third = PROBE_HEADER_SIZE + 2 * (size_t)PROBE_BLOCK;

	ck_assert_ptr_nonnull(block);
	memcpy(block, bytes + third, PROBE_BLOCK);
	memmove(bytes + third, bytes + third + PROBE_BLOCK, PROBE_BLOCK);
	memcpy(bytes + third + PROBE_BLOCK, block, PROBE_BLOCK);
	ck_assert_uint_lt(probe_match(&sample, 0, bytes, 8 * PROBE_BLOCK), third + 8);
	free(block);
	free(bytes);
}
