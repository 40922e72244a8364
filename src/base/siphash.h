/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * SipHash-1-3 over a few words, with a random key for each process, so that an attacker cannot
 * choose addresses that collide in our tables. Owns nothing.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

/* From getrandom(2); waits until the kernel's generator is ready. */
void siphash_key_random(struct siphash_key *key);

uint64_t siphash(const struct siphash_key *key, const uint64_t *words, size_t count);
