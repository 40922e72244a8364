/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The key of a remote in tables that count by listener and source: an IPv4 address, or the /64 of
 * an IPv6 address, because one host can use all of it. For link-local addresses, the whole address
 * and its link, because all links share one /64. A plain value.
 */

#pragma once

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#define SOURCE_KEY_WORDS 3

/* The listener's tag, the upper half of the address, and the lower half if it is significant. */
struct source_key {
	uint64_t words[SOURCE_KEY_WORDS];
};

static inline struct source_key source_key(uint64_t tag, const struct in6_addr *ip)
{
	struct source_key key = {{tag, 0, 0}};

	memcpy(&key.words[1], &ip->s6_addr[0], sizeof(key.words[1]));
	if (IN6_IS_ADDR_V4MAPPED(ip) || IN6_IS_ADDR_LINKLOCAL(ip))
		memcpy(&key.words[2], &ip->s6_addr[8], sizeof(key.words[2]));
	return key;
}

/*
 * The listener's TAG combined with the SCOPE of an address, which the kernel sets only for
 * link-local ones. Tags are hashes, so no other listener has one nearby.
 */
static inline uint64_t scoped_tag(uint64_t tag, uint32_t scope)
{
	return tag + scope;
}

static inline uint64_t source_tag(uint64_t tag, const struct sockaddr *peer)
{
	struct sockaddr_in6 in6;

	if (peer->sa_family != AF_INET6)
		return tag;
	memcpy(&in6, peer, sizeof(in6));
	return scoped_tag(tag, in6.sin6_scope_id);
}
