/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A list of networks, for `allow` and `deny`. Built by the configuration, searched by the guard.
 * Two networks are either disjoint or nested, so keeping only the outer ones leaves disjoint
 * ranges, and a binary search finds the only one that can contain an address.
 */

#include "config.h"

#include "base/netlist.h"

#include <arpa/inet.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/units.h"

/* The prefix of v4-mapped addresses. */
#define MAPPED_BITS 96

/* An address as a 128-bit number. */
struct key {
	uint64_t high, low;
};

struct netlist_range {
	struct key first, last;
};

#define MAPPED_FIRST UINT64_C(0xffff00000000)
#define MAPPED_LAST UINT64_C(0xffffffffffff)

static const struct netlist_range mapped = {{0, MAPPED_FIRST}, {0, MAPPED_LAST}};

static bool is_ipv4(const struct network *network)
{
	return network->bits >= MAPPED_BITS && IN6_IS_ADDR_V4MAPPED(&network->address);
}

static bool parse_ip(const char *text, struct in6_addr *ip, unsigned *prefix)
{
	struct address in4 = {.in4.sin_family = AF_INET};

	*prefix = 0;
	if (inet_pton(AF_INET, text, &in4.in4.sin_addr) == 1) {
		*prefix = MAPPED_BITS;
		return address_ip(&in4.sa, ip);
	}
	return inet_pton(AF_INET6, text, ip) == 1;
}

/* Clears all bits after the first BITS; true if any of them was set. */
static bool clear_host_bits(struct in6_addr *ip, unsigned bits)
{
	bool any = false;

	for (unsigned i = bits / 8; i < sizeof(ip->s6_addr); i++) {
		uint8_t mask = (uint8_t)(i == bits / 8 ? 0xff >> bits % 8 : 0xff);

		any = any || (ip->s6_addr[i] & mask) != 0;
		ip->s6_addr[i] &= (uint8_t)~mask;
	}
	return any;
}

static int parse_network(struct network *network, const char *text, struct reason *reason)
{
	char host[INET6_ADDRSTRLEN], masked[NETWORK_TEXT_MAX];
	size_t length = strcspn(text, "/");
	unsigned prefix;
	uint64_t bits;
	struct reason why;

	(void)snprintf(host, sizeof(host), "%.*s", (int)length, text);
	if (length >= sizeof(host) || !parse_ip(host, &network->address, &prefix))
		return reason_set(reason, "\"%s\" is not ADDRESS or ADDRESS/BITS", text);
	bits = 128 - prefix;
	if (text[length] == '/' && parse_unsigned(text + length + 1, 0, bits, &bits, &why) < 0)
		return reason_set(reason, "the bits in \"%s\": %s", text, why.text);
	network->bits = prefix + (unsigned)bits;
	if (clear_host_bits(&network->address, network->bits))
		return reason_set(reason, "\"%s\" has host bits set: the network is %s", text,
				  network_format(network, masked));
	return 0;
}

static struct key key_of(const struct in6_addr *ip)
{
	struct key key;

	memcpy(&key.high, &ip->s6_addr[0], sizeof(key.high));
	memcpy(&key.low, &ip->s6_addr[8], sizeof(key.low));
	return (struct key){be64toh(key.high), be64toh(key.low)};
}

static bool is_below(struct key a, struct key b)
{
	return a.high < b.high || (a.high == b.high && a.low < b.low);
}

static struct netlist_range range_of(const struct network *network)
{
	struct netlist_range range;
	struct in6_addr last = network->address;

	for (unsigned bit = network->bits; bit < 128; bit++)
		last.s6_addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	range.first = key_of(&network->address);
	range.last = key_of(&last);
	return range;
}

/* The number of ranges that begin at or before KEY. */
static size_t begun_by(const struct netlist *list, struct key key)
{
	size_t low = 0, high = list->range_count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (is_below(key, list->ranges[middle].first))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Replaces all ranges inside RANGE, unless another contains it. There is space for one more. */
static void insert(struct netlist *list, struct netlist_range range)
{
	size_t from = begun_by(list, range.first), to = begun_by(list, range.last);
	struct netlist_range *ranges = list->ranges;

	if (from > 0 && !is_below(ranges[from - 1].last, range.last))
		return;
	if (from > 0 && !is_below(ranges[from - 1].last, range.first))
		from--; /* begins at the same address, and is smaller */
	memmove(&ranges[from + 1], &ranges[to], (list->range_count - to) * sizeof(*ranges));
	ranges[from] = range;
	list->range_count += from + 1;
	list->range_count -= to;
}

/* An IPv6 network that contains the v4-mapped addresses is split into the parts around them. */
static void insert_network(struct netlist *list, const struct network *network)
{
	struct netlist_range range = range_of(network);

	if (is_ipv4(network) || is_below(range.last, mapped.first) ||
	    is_below(mapped.last, range.first)) {
		insert(list, range);
		return;
	}
	insert(list, (struct netlist_range){range.first, {0, MAPPED_FIRST - 1}});
	if (is_below(mapped.last, range.last))
		insert(list, (struct netlist_range){{0, MAPPED_LAST + 1}, range.last});
}

static int make_room(struct netlist *list)
{
	struct network *networks = reallocarray(list->networks, list->count + 1, sizeof(*networks));
	struct netlist_range *ranges =
		reallocarray(list->ranges, list->range_count + 2, sizeof(*ranges));

	if (networks)
		list->networks = networks;
	if (ranges)
		list->ranges = ranges;
	return networks && ranges ? 0 : -1;
}

int netlist_add(struct netlist *list, const char *text, struct reason *reason)
{
	struct network network = {0};

	if (parse_network(&network, text, reason) < 0)
		return -1;
	if (make_room(list) < 0)
		return reason_set(reason, "not enough memory");
	list->networks[list->count++] = network;
	insert_network(list, &network);
	return 0;
}

void netlist_share(struct netlist *to, const struct netlist *from)
{
	*to = *from;
	to->shared = true;
}

void netlist_clear(struct netlist *list)
{
	if (!list->shared) {
		free(list->networks);
		free(list->ranges);
	}
	*list = (struct netlist){0};
}

bool netlist_contains(const struct netlist *list, const struct in6_addr *ip)
{
	struct key key = key_of(ip);
	size_t begun = begun_by(list, key);

	return begun > 0 && !is_below(list->ranges[begun - 1].last, key);
}

const char *network_format(const struct network *network, char text[static NETWORK_TEXT_MAX])
{
	bool ipv4 = is_ipv4(network);
	unsigned bits = ipv4 ? network->bits - MAPPED_BITS : network->bits;
	const uint8_t *bytes = network->address.s6_addr;
	char ip[INET6_ADDRSTRLEN];

	(void)inet_ntop(ipv4 ? AF_INET : AF_INET6, ipv4 ? bytes + 12 : bytes, ip, sizeof(ip));
	if (network->bits == 128)
		(void)snprintf(text, NETWORK_TEXT_MAX, "%s", ip);
	else
		(void)snprintf(text, NETWORK_TEXT_MAX, "%s/%u", ip, bits);
	return text;
}
