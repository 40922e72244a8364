/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The other end of a stream, or the source it speaks for, in the form that lists and tables
 * compare: made once, from what accept or a PROXY header names. A plain value.
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/address.h"

struct peer {
	struct in6_addr ip; /* IPv4 as v4-mapped */
	uint32_t scope;	    /* of a link-local address, else 0 */
	uint16_t port;
	bool is_unix; /* without an address: a unix client has no name worth keeping */
};

void peer_set(struct peer *peer, const struct address *address);

/* "192.0.2.9:4711", or "unix". */
const char *peer_format(const struct peer *peer, char text[static ADDRESS_TEXT_MAX]);
