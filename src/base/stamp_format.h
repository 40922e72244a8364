/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * STAMP's packets as they are on the wire (RFC 8762 and 8972), which both ends share: where the
 * fields are, the types of TLVs, the HMACs, and times with their error. Reads and writes memory
 * only; owns nothing.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"

struct hmac_key;

#define STAMP_PORT 862
#define STAMP_TTL 255 /* of requests */
#define STAMP_HMAC_SIZE 16

/* Offsets of the fields. Those up to the SSID are where a request has them as well. */
struct stamp_layout {
	size_t size;
	size_t time, error, ssid;
	size_t received, request_sequence, request_time, request_error, request_ttl;
};

extern const struct stamp_layout stamp_unauthenticated, stamp_authenticated;

/* Of an authenticated packet, whose last field is over all before it. */
bool stamp_packet_is_authentic(const uint8_t *packet, const struct hmac_key *key);
void stamp_packet_sign(uint8_t *packet, const struct hmac_key *key);

/* A TLV: flags, type, length (16 bits), value. */
#define STAMP_TLV_HEADER 4

enum stamp_tlv_flag {
	STAMP_UNRECOGNISED = 0x80,
	STAMP_MALFORMED = 0x40,
	STAMP_INTEGRITY_FAILED = 0x20,
};

enum stamp_tlv_type {
	STAMP_EXTRA_PADDING = 1,
	STAMP_LOCATION = 2,
	STAMP_TIMESTAMP_INFORMATION = 3,
	STAMP_CLASS_OF_SERVICE = 4,
	STAMP_DIRECT_MEASUREMENT = 5,
	STAMP_FOLLOW_UP_TELEMETRY = 7,
	STAMP_HMAC = 8,
	STAMP_DESTINATION_NODE = 9,
};

/* Within a location: questions, of 16 bytes an address, and what they are answered as. */
enum stamp_location_type {
	STAMP_SOURCE_MAC = 1,
	STAMP_SOURCE_EUI64 = 3,
	STAMP_DESTINATION_IP = 4,
	STAMP_DESTINATION_IPV4 = 5,
	STAMP_DESTINATION_IPV6 = 6,
	STAMP_SOURCE_IP = 7,
	STAMP_SOURCE_IPV4 = 8,
	STAMP_SOURCE_IPV6 = 9,
};

/* The value of the TLV HMAC of PACKET: over its sequence number and the TLVs from FROM to TO. */
void stamp_tlv_hmac(const struct hmac_key *key, const uint8_t *packet, const uint8_t *from,
		    const uint8_t *to, uint8_t code[static STAMP_HMAC_SIZE]);

/* The error estimate: S (synchronised), Z (0: NTP), scale, multiplier, from the highest bit on. */
#define STAMP_SYNCHRONISED 0x8000
#define STAMP_PTP_FORMAT 0x4000
#define STAMP_UNSYNCHRONISED_ESTIMATE 0x0001

/* Of our clock, as the kernel knows it. */
uint16_t stamp_estimate(void);

/* The estimate for a clock that is at most MAXERROR microseconds off. */
uint16_t stamp_estimate_of(uint64_t maxerror);

/* CLOCK_REALTIME, nanoseconds since 1970, as seconds since 1900 and a fraction, 32 bits each. */
static inline uint64_t stamp_time_of(uint64_t realtime)
{
	uint64_t since_1900 = realtime / NS_PER_S + UINT64_C(2208988800);

	return since_1900 << 32 | (realtime % NS_PER_S << 32) / NS_PER_S;
}
