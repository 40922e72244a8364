/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See sha256.h. Works on the caller's memory; its tables are constants. */

#include "config.h"

#include "base/sha256.h"

#include <string.h>

#include "base/big_endian.h"

#define ROUNDS 64
#define LENGTH_AT (SHA256_BLOCK - 8) /* of the last block */

static const uint32_t initial[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
				    0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

static const uint32_t constants[ROUNDS] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2};

static inline uint32_t rotate_right(uint32_t x, unsigned bits)
{
	return x >> bits | x << (32 - bits);
}

/* The word of round I; from the sixteenth on it replaces the one that nothing needs any more. */
static inline uint32_t schedule(uint32_t words[16], int i)
{
	uint32_t early = words[(i + 1) & 15], late = words[(i + 14) & 15];

	if (i >= 16)
		words[i & 15] += words[(i + 9) & 15] +
				 (rotate_right(early, 7) ^ rotate_right(early, 18) ^ early >> 3) +
				 (rotate_right(late, 17) ^ rotate_right(late, 19) ^ late >> 10);
	return words[i & 15];
}

static void compress(uint32_t state[8], const uint8_t block[SHA256_BLOCK])
{
	uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
	uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
	uint32_t words[16];

	for (int i = 0; i < 16; i++)
		words[i] = get32(block + 4 * i);
	for (int i = 0; i < ROUNDS; i++) {
		uint32_t first = h + constants[i] + schedule(words, i) + ((e & f) ^ (~e & g)) +
				 (rotate_right(e, 6) ^ rotate_right(e, 11) ^ rotate_right(e, 25));
		uint32_t second = ((a & b) ^ (a & c) ^ (b & c)) +
				  (rotate_right(a, 2) ^ rotate_right(a, 13) ^ rotate_right(a, 22));

		h = g, g = f, f = e, e = d + first;
		d = c, c = b, b = a, a = first + second;
	}
	state[0] += a, state[1] += b, state[2] += c, state[3] += d;
	state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

static void begin_at(struct sha256 *hash, const uint32_t state[8], uint64_t length)
{
	memcpy(hash->state, state, sizeof(hash->state));
	hash->length = length;
}

void sha256_begin(struct sha256 *hash)
{
	begin_at(hash, initial, 0);
}

void sha256_add(struct sha256 *hash, const void *bytes, size_t size)
{
	const uint8_t *from = bytes;

	while (size > 0) {
		size_t used = hash->length % SHA256_BLOCK;
		size_t piece = size < SHA256_BLOCK - used ? size : SHA256_BLOCK - used;

		memcpy(hash->block + used, from, piece);
		hash->length += piece;
		from += piece;
		size -= piece;
		if (used + piece == SHA256_BLOCK)
			compress(hash->state, hash->block);
	}
}

void sha256_end(struct sha256 *hash, uint8_t digest[static SHA256_SIZE])
{
	uint64_t bits = hash->length * 8;
	size_t used = hash->length % SHA256_BLOCK;

	hash->block[used++] = 0x80;
	memset(hash->block + used, 0, SHA256_BLOCK - used);
	if (used > LENGTH_AT) {
		compress(hash->state, hash->block);
		memset(hash->block, 0, SHA256_BLOCK);
	}
	put64(hash->block + LENGTH_AT, bits);
	compress(hash->state, hash->block);
	for (int i = 0; i < 8; i++)
		put32(digest + 4 * i, hash->state[i]);
}

/* The state after one block of the key, padded with PAD. */
static void absorb_key(uint32_t state[8], const uint8_t key[SHA256_BLOCK], uint8_t pad)
{
	uint8_t block[SHA256_BLOCK];

	for (int i = 0; i < SHA256_BLOCK; i++)
		block[i] = key[i] ^ pad;
	memcpy(state, initial, sizeof(initial));
	compress(state, block);
	explicit_bzero(block, sizeof(block));
}

void hmac_key_set(struct hmac_key *key, const void *bytes, size_t size)
{
	uint8_t block[SHA256_BLOCK] = {0};
	struct sha256 hash;

	if (size > SHA256_BLOCK) {
		sha256_begin(&hash);
		sha256_add(&hash, bytes, size);
		sha256_end(&hash, block);
		explicit_bzero(&hash, sizeof(hash));
	} else if (size > 0) {
		memcpy(block, bytes, size);
	}
	absorb_key(key->inner, block, 0x36);
	absorb_key(key->outer, block, 0x5c);
	explicit_bzero(block, sizeof(block));
}

void hmac_begin(struct sha256 *hash, const struct hmac_key *key)
{
	begin_at(hash, key->inner, SHA256_BLOCK);
}

void hmac_end(struct sha256 *hash, const struct hmac_key *key, uint8_t digest[static SHA256_SIZE])
{
	sha256_end(hash, digest);
	begin_at(hash, key->outer, SHA256_BLOCK);
	sha256_add(hash, digest, SHA256_SIZE);
	sha256_end(hash, digest);
}

bool digests_equal(const void *a, const void *b, size_t size)
{
	const volatile uint8_t *left = a, *right = b;
	uint8_t difference = 0;

	for (size_t i = 0; i < size; i++)
		difference |= left[i] ^ right[i];
	return difference == 0;
}
