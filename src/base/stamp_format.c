/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stamp_format.h. */

#include "config.h"

#include "base/stamp_format.h"

#include <string.h>
#include <sys/timex.h>

#include "base/sha256.h"

#define HMAC_AT 96
#define SEQUENCE_SIZE 4 /* which the HMAC of TLVs covers as well */
#define US_PER_S 1000000
#define MULTIPLIER_BITS 8

/* Far more than any kernel reports, and it leaves room for rounding up. */
#define MOST_US (UINT64_C(1) << 31)

const struct stamp_layout stamp_unauthenticated = {.size = 44,
						   .time = 4,
						   .error = 12,
						   .ssid = 14,
						   .received = 16,
						   .request_sequence = 24,
						   .request_time = 28,
						   .request_error = 36,
						   .request_ttl = 40};
const struct stamp_layout stamp_authenticated = {.size = HMAC_AT + STAMP_HMAC_SIZE,
						 .time = 16,
						 .error = 24,
						 .ssid = 26,
						 .received = 32,
						 .request_sequence = 48,
						 .request_time = 64,
						 .request_error = 72,
						 .request_ttl = 80};

static void compute(const uint8_t *packet, const struct hmac_key *key,
		    uint8_t digest[static SHA256_SIZE])
{
	struct sha256 hash;

	hmac_begin(&hash, key);
	sha256_add(&hash, packet, HMAC_AT);
	hmac_end(&hash, key, digest);
}

bool stamp_packet_is_authentic(const uint8_t *packet, const struct hmac_key *key)
{
	uint8_t digest[SHA256_SIZE];

	compute(packet, key, digest);
	return digests_equal(digest, packet + HMAC_AT, STAMP_HMAC_SIZE);
}

void stamp_packet_sign(uint8_t *packet, const struct hmac_key *key)
{
	uint8_t digest[SHA256_SIZE];

	compute(packet, key, digest);
	memcpy(packet + HMAC_AT, digest, STAMP_HMAC_SIZE);
}

void stamp_tlv_hmac(const struct hmac_key *key, const uint8_t *packet, const uint8_t *from,
		    const uint8_t *to, uint8_t code[static STAMP_HMAC_SIZE])
{
	uint8_t digest[SHA256_SIZE];
	struct sha256 hash;

	hmac_begin(&hash, key);
	sha256_add(&hash, packet, SEQUENCE_SIZE);
	sha256_add(&hash, from, (size_t)(to - from));
	hmac_end(&hash, key, digest);
	memcpy(code, digest, STAMP_HMAC_SIZE);
}

/* error = multiplier * 2^-32 * 2^scale seconds, rounded up; the multiplier is never 0. */
uint16_t stamp_estimate_of(uint64_t maxerror)
{
	uint64_t error = (maxerror < MOST_US ? maxerror : MOST_US) << 32;
	uint64_t unit = US_PER_S;
	unsigned scale = 0;
	uint64_t multiplier;

	while (error / unit >= UINT64_C(1) << MULTIPLIER_BITS) {
		unit <<= 1;
		scale++;
	}
	multiplier = (error + unit - 1) / unit;
	if (multiplier >> MULTIPLIER_BITS != 0) {
		multiplier >>= 1;
		scale++;
	}
	if (multiplier == 0)
		multiplier = 1;
	return (uint16_t)(STAMP_SYNCHRONISED | scale << MULTIPLIER_BITS | multiplier);
}

/* Where a filter of system calls refuses the question, the clock counts as unsynchronised. */
uint16_t stamp_estimate(void)
{
	struct timex clock = {.modes = 0};

	if (adjtimex(&clock) < 0 || (clock.status & STA_UNSYNC) != 0)
		return STAMP_UNSYNCHRONISED_ESTIMATE;
	return stamp_estimate_of((uint64_t)clock.maxerror);
}
