/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * SipHash-1-3 against a slow implementation over bytes, which proves itself with the published
 * values of SipHash-2-4; and the key, also from a kernel that gives none.
 */

#include "config.h"

#include "base/siphash.h"

#include <endian.h>
#include <sys/random.h>
#include <sys/syscall.h>

#include "support/test.h"

#define MAX_WORDS 8

/* Wraps the C library's: fails as often as the test asks. */
static int failing_calls;

ssize_t getrandom(void *buffer, size_t length, unsigned flags)
{
	if (failing_calls > 0) {
		failing_calls--;
		errno = EINTR;
		return -1;
	}
	return syscall(SYS_getrandom, buffer, length, flags);
}

static uint64_t rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* As in the paper's figure: two half rounds, side by side. */
static void reference_round(uint64_t v[4])
{
	static const unsigned left[2] = {13, 17}, right[2] = {16, 21};

	for (int half = 0; half < 2; half++) {
		v[half * 2] += v[1];
		v[2 - half * 2] += v[3];
		v[1] = rotate(v[1], left[half]) ^ v[half * 2];
		v[3] = rotate(v[3], right[half]) ^ v[2 - half * 2];
		v[half * 2] = rotate(v[half * 2], 32);
	}
}

static void reference_block(uint64_t v[4], const unsigned char block[8], int rounds)
{
	uint64_t m = 0;

	for (unsigned i = 0; i < 8; i++)
		m |= (uint64_t)block[i] << (8 * i);
	v[3] ^= m;
	while (rounds-- > 0)
		reference_round(v);
	v[0] ^= m;
}

/* SipHash-c-d of LENGTH bytes. */
static uint64_t reference(const struct siphash_key *key, const void *input, size_t length, int c,
			  int d)
{
	/* "somepseudorandomlygeneratedbytes" */
	uint64_t v[4] = {0x736f6d6570736575, 0x646f72616e646f6d, 0x6c7967656e657261,
			 0x7465646279746573};
	unsigned char last[8] = {0};
	const unsigned char *bytes = input;

	for (int i = 0; i < 4; i++)
		v[i] ^= i % 2 ? key->k1 : key->k0;
	for (size_t i = 0; i + 8 <= length; i += 8)
		reference_block(v, bytes + i, c);
	memcpy(last, bytes + length - length % 8, length % 8);
	last[7] = (unsigned char)length;
	reference_block(v, last, c);
	v[2] ^= 0xff;
	while (d-- > 0)
		reference_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static const struct siphash_key known_key = {0x0706050403020100, 0x0f0e0d0c0b0a0908};

TEST(reference_gives_the_published_values)
{
	static const struct {
		size_t length;
		uint64_t hash;
	} known[] = {
		{0, 0x726fdb47dd0e0e31},  {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137},
		{8, 0x93f5f5799a932462},  {15, 0xa129ca6149be45e5}, {16, 0x3f2acc7f57c29bdb},
		{63, 0x958a324ceb064572},
	};
	unsigned char input[64];

	for (unsigned i = 0; i < sizeof(input); i++)
		input[i] = (unsigned char)i;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		uint64_t hash = reference(&known_key, input, known[i].length, 2, 4);

		ck_assert_uint_eq(hash, known[i].hash);
	}
	ck_assert_uint_eq(reference(&known_key, input, 0, 1, 3), 0xabac0158050fc4dc);
}

TEST(words_hash_as_their_bytes_do)
{
	struct siphash_key key = known_key;
	uint64_t words[MAX_WORDS], bytes[MAX_WORDS];

	for (int round = 0; round < 1000; round++) {
		for (size_t i = 0; i < MAX_WORDS; i++)
			words[i] = reference(&key, &i, sizeof(i), 2, 4);
		for (size_t i = 0; i < MAX_WORDS; i++)
			bytes[i] = htole64(words[i]);
		for (size_t count = 0; count <= MAX_WORDS; count++) {
			uint64_t expected = reference(&key, bytes, count * sizeof(*bytes), 1, 3);

			ck_assert_uint_eq(siphash(&key, words, count), expected);
		}
		key = (struct siphash_key){words[0], words[1]};
	}
}

static void assert_random(const struct siphash_key *key)
{
	struct siphash_key zero = {0, 0};

	ck_assert_int_ne(memcmp(key, &zero, sizeof(zero)), 0);
	ck_assert_uint_ne(key->k0, key->k1);
}

TEST(every_key_is_another)
{
	struct siphash_key a = {0, 0}, b = {0, 0};

	siphash_key_random(&a);
	siphash_key_random(&b);
	assert_random(&a);
	assert_random(&b);
	ck_assert_int_ne(memcmp(&a, &b, sizeof(a)), 0);
}

TEST(an_interrupted_wait_for_random_numbers_goes_on)
{
	struct siphash_key a = {0, 0}, b = {0, 0};

	failing_calls = 3;
	siphash_key_random(&a);
	ck_assert_int_eq(failing_calls, 0);
	siphash_key_random(&b);
	assert_random(&a);
	ck_assert_int_ne(memcmp(&a, &b, sizeof(a)), 0);
}

TEST(a_kernel_without_getrandom_still_gives_a_key)
{
	struct siphash_key key = {0, 0};

	failing_calls = 1000;
	siphash_key_random(&key);
	assert_random(&key);
	ck_assert_int_gt(failing_calls, 0);
}
