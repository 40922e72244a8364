/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * SipHash-1-3 by Aumasson and Bernstein, for input in whole words. Owns nothing; called by the
 * client table and the rate limiter.
 */

#include "config.h"

#include "base/siphash.h"

#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

#define RANDOM_ATTEMPTS 8
#define FINAL_ROUNDS 3

struct state {
	uint64_t v0, v1, v2, v3;
};

void siphash_key_random(struct siphash_key *key)
{
	/* A signal can interrupt getrandom while the kernel's generator is not ready. */
	for (int attempt = 0; attempt < RANDOM_ATTEMPTS; attempt++) {
		if (getrandom(key, sizeof(*key), 0) == (ssize_t)sizeof(*key))
			return;
	}

	/*
	 * Perhaps blocked by a filter: use the 16 random bytes that every program gets at its
	 * start.
	 */
	memcpy(key, (const void *)getauxval(AT_RANDOM), sizeof(*key));
}

static inline uint64_t rotate_left(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void sip_round(struct state *s)
{
	s->v0 += s->v1;
	s->v1 = rotate_left(s->v1, 13) ^ s->v0;
	s->v0 = rotate_left(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotate_left(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotate_left(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotate_left(s->v1, 17) ^ s->v2;
	s->v2 = rotate_left(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

uint64_t siphash(const struct siphash_key *key, const uint64_t *words, size_t count)
{
	/* "somepseudorandomlygeneratedbytes" */
	struct state s = {
		.v0 = key->k0 ^ 0x736f6d6570736575,
		.v1 = key->k1 ^ 0x646f72616e646f6d,
		.v2 = key->k0 ^ 0x6c7967656e657261,
		.v3 = key->k1 ^ 0x7465646279746573,
	};

	for (size_t i = 0; i < count; i++)
		absorb(&s, words[i]);

	/*
	 * The last block holds the remaining input bytes, here none, and the length of the input.
	 */
	absorb(&s, (uint64_t)(count * sizeof(*words)) << 56);

	s.v2 ^= 0xff;
	for (int i = 0; i < FINAL_ROUNDS; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
