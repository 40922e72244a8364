/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See peer.h. */

#include "config.h"

#include "echod/stream/peer.h"

void peer_set(struct peer *peer, const struct address *address)
{
	*peer = (struct peer){.port = address_port(address)};
	peer->is_unix = !address_ip(&address->sa, &peer->ip);
	if (address->sa.sa_family == AF_INET6)
		peer->scope = address->in6.sin6_scope_id;
}

const char *peer_format(const struct peer *peer, char text[static ADDRESS_TEXT_MAX])
{
	struct address address = {.length = sizeof(address.in6),
				  .in6 = {.sin6_family = AF_INET6,
					  .sin6_port = htons(peer->port),
					  .sin6_addr = peer->ip,
					  .sin6_scope_id = peer->scope}};

	if (peer->is_unix)
		return "unix";
	address_unmap(&address);
	return address_format(&address, text);
}
