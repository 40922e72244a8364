/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * STAMP's base packets (RFC 8762), unauthenticated and authenticated, as a reflector reads and
 * writes them. Reads and writes memory only; stamp.c calls it for each packet.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/stamp_format.h"

/* What a reply repeats of its request. */
struct stamp_request {
	uint32_t sequence;
	uint64_t time;
	uint16_t error;
	uint16_t ssid;
};

void stamp_packet_read(const uint8_t *packet, const struct stamp_layout *layout,
		       struct stamp_request *request);

/*
 * A stateless reflector's reply: it repeats its own number, and has times where a request has none.
 * That of its arrival as well, for a forged request may say that it was sent at 0.
 */
bool stamp_packet_is_reply(const uint8_t *packet, const struct stamp_layout *layout);

/* What the reflector adds to what it repeats. */
struct stamp_reply {
	uint64_t received; /* in NTP's format */
	uint16_t error;
	uint8_t ttl;
};

/* Writes the reply, all but its time and with the number of the request. */
void stamp_packet_write(uint8_t *packet, const struct stamp_layout *layout,
			const struct stamp_request *request, const struct stamp_reply *reply);
