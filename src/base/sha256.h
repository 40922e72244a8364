/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * SHA-256 (FIPS 180-4) and HMAC-SHA-256 (RFC 2104), the one hash that STAMP needs. Owns nothing;
 * called for each authenticated packet.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32
#define SHA256_BLOCK 64

/* A hash in progress. */
struct sha256 {
	uint32_t state[8];
	uint64_t length; /* bytes so far */
	uint8_t block[SHA256_BLOCK];
};

void sha256_begin(struct sha256 *hash);
void sha256_add(struct sha256 *hash, const void *bytes, size_t size);
void sha256_end(struct sha256 *hash, uint8_t digest[static SHA256_SIZE]);

/* A key after its two blocks, which so are paid for once and not with each message. */
struct hmac_key {
	uint32_t inner[8];
	uint32_t outer[8];
};

/* The caller wipes BYTES; the key itself is as secret as they are. */
void hmac_key_set(struct hmac_key *key, const void *bytes, size_t size);

/* The message is added with sha256_add. */
void hmac_begin(struct sha256 *hash, const struct hmac_key *key);
void hmac_end(struct sha256 *hash, const struct hmac_key *key, uint8_t digest[static SHA256_SIZE]);

/* In a time that does not depend on where they differ. */
bool digests_equal(const void *a, const void *b, size_t size);
