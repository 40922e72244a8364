/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stamp_packet.h. */

#include "config.h"

#include "echod/datagram/modes/stamp_packet.h"

#include <string.h>

#include "base/big_endian.h"

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
	       (get64(packet + layout->received) | get64(packet + layout->request_time)) != 0;
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
