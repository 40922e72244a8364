/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stamp_packet.h. */

#include "config.h"

#include "echod/datagram/modes/stamp_packet.h"

#include <string.h>

#include "base/big_endian.h"
#include "base/sha256.h"

#define HMAC_AT 96
#define HMAC_SIZE 16

const struct stamp_layout stamp_unauthenticated = {.size = 44,
						   .time = 4,
						   .error = 12,
						   .ssid = 14,
						   .received = 16,
						   .request_sequence = 24,
						   .request_time = 28,
						   .request_error = 36,
						   .request_ttl = 40};
const struct stamp_layout stamp_authenticated = {.size = HMAC_AT + HMAC_SIZE,
						 .time = 16,
						 .error = 24,
						 .ssid = 26,
						 .received = 32,
						 .request_sequence = 48,
						 .request_time = 64,
						 .request_error = 72,
						 .request_ttl = 80};

void stamp_packet_read(const uint8_t *packet, const struct stamp_layout *layout,
		       struct stamp_request *request)
{
	request->sequence = get32(packet);
	request->time = get64(packet + layout->time);
	request->error = get16(packet + layout->error);
	request->ssid = get16(packet + layout->ssid);
}

bool stamp_packet_is_reply(const uint8_t *packet, const struct stamp_layout *layout)
{
	return get32(packet) == get32(packet + layout->request_sequence) &&
	       get64(packet + layout->request_time) != 0;
}

void stamp_packet_write(uint8_t *packet, const struct stamp_layout *layout,
			const struct stamp_request *request, const struct stamp_reply *reply)
{
	memset(packet, 0, layout->size);
	put32(packet, request->sequence);
	put16(packet + layout->error, reply->error);
	put16(packet + layout->ssid, request->ssid);
	put64(packet + layout->received, reply->received);
	put32(packet + layout->request_sequence, request->sequence);
	put64(packet + layout->request_time, request->time);
	put16(packet + layout->request_error, request->error);
	packet[layout->request_ttl] = reply->ttl;
}

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
	return digests_equal(digest, packet + HMAC_AT, HMAC_SIZE);
}

void stamp_packet_sign(uint8_t *packet, const struct hmac_key *key)
{
	uint8_t digest[SHA256_SIZE];

	compute(packet, key, digest);
	memcpy(packet + HMAC_AT, digest, HMAC_SIZE);
}
