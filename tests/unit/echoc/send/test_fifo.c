/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The queue of bytes under way: order kept over any growth, differences found where they are. */

#include "config.h"

#include "echoc/send/fifo.h"
#include "support/test.h"

static unsigned char byte_of(size_t position)
{
	return (unsigned char)(position * 131 + position / 256);
}

static void fill(unsigned char *data, size_t from, size_t length)
{
	for (size_t i = 0; i < length; i++)
		data[i] = byte_of(from + i);
}

TEST(bytes_come_out_as_they_went_in)
{
	static unsigned char data[100000];
	struct fifo fifo = {0};
	size_t in = 0, out = 0;

	for (size_t round = 0; round < 200; round++) {
		size_t add = round * 7919 % 50000;
		size_t take = round * 104729 % 50000;
		size_t differing, at, taken;
		unsigned char expected;

		fill(data, in, add);
		ck_assert_int_eq(fifo_append(&fifo, data, add), 0);
		in += add;
		fill(data, out, take);
		taken = fifo_compare(&fifo, data, take, &differing, &at, &expected);
		ck_assert_uint_eq(taken, take < in - out ? take : in - out);
		ck_assert_uint_eq(differing, 0);
		out += taken;
		ck_assert_uint_eq(fifo.count, in - out);
	}
	fifo_clear(&fifo);
}

TEST(differences_are_counted_and_the_first_is_reported)
{
	unsigned char data[1000];
	struct fifo fifo = {0};
	size_t differing, at;
	unsigned char expected;

	fill(data, 0, sizeof(data));
	ck_assert_int_eq(fifo_append(&fifo, data, sizeof(data)), 0);
	data[17] ^= 1;
	data[500] ^= 0x80;
	ck_assert_uint_eq(fifo_compare(&fifo, data, sizeof(data), &differing, &at, &expected),
			  sizeof(data));
	ck_assert_uint_eq(differing, 2);
	ck_assert_uint_eq(at, 17);
	ck_assert_uint_eq(expected, byte_of(17));
	fifo_clear(&fifo);
}

TEST(more_than_was_sent_is_not_taken)
{
	struct fifo fifo = {0};
	size_t differing, at;
	unsigned char expected;

	ck_assert_int_eq(fifo_append(&fifo, (const unsigned char *)"abc", 3), 0);
	ck_assert_uint_eq(
		fifo_compare(&fifo, (const unsigned char *)"abcdef", 6, &differing, &at, &expected),
		3);
	ck_assert_uint_eq(differing, 0);
	ck_assert_uint_eq(
		fifo_compare(&fifo, (const unsigned char *)"def", 3, &differing, &at, &expected),
		0);
	fifo_clear(&fifo);
	fifo_clear(&fifo);
}
