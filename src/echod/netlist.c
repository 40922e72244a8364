/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A list of networks, as `allow` and `deny` hold them. Owns its entries; the configuration builds
 * it, the guard asks it.
 */

#include "config.h"

#include "netlist.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/units.h"

/* The bits before those of an IPv4 address in its v4-mapped form. */
#define MAPPED_BITS 96

static bool is_ipv4(const struct network *network)
{
	return network->bits >= MAPPED_BITS && IN6_IS_ADDR_V4MAPPED(&network->address);
}

static bool parse_ip(const char *text, struct in6_addr *ip, unsigned *prefix)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};

	*prefix = 0;
	if (inet_pton(AF_INET, text, &in4.sin_addr) == 1) {
		*prefix = MAPPED_BITS;
		return address_ip((const struct sockaddr *)&in4, ip);
	}
	return inet_pton(AF_INET6, text, ip) == 1;
}

/* True when a bit behind the first BITS was set; it is not afterwards. */
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

int netlist_add(struct netlist *list, const char *text, struct reason *reason)
{
	struct network network;
	struct network *networks;

	if (parse_network(&network, text, reason) < 0)
		return -1;
	networks = reallocarray(list->networks, list->count + 1, sizeof(*networks));
	if (!networks)
		return reason_set(reason, "not enough memory");
	list->networks = networks;
	list->networks[list->count++] = network;
	return 0;
}

int netlist_copy(struct netlist *to, const struct netlist *from)
{
	*to = (struct netlist){0};
	if (from->count == 0)
		return 0;
	to->networks = calloc(from->count, sizeof(*to->networks));
	if (!to->networks)
		return -1;
	memcpy(to->networks, from->networks, from->count * sizeof(*to->networks));
	to->count = from->count;
	return 0;
}

void netlist_clear(struct netlist *list)
{
	free(list->networks);
	*list = (struct netlist){0};
}

static bool network_contains(const struct network *network, const struct in6_addr *ip)
{
	unsigned bytes = network->bits / 8;
	unsigned rest = network->bits % 8;

	if (IN6_IS_ADDR_V4MAPPED(ip) && !is_ipv4(network))
		return false;
	if (memcmp(ip, &network->address, bytes) != 0)
		return false;
	return rest == 0 ||
	       (ip->s6_addr[bytes] ^ network->address.s6_addr[bytes]) >> (8 - rest) == 0;
}

bool netlist_contains(const struct netlist *list, const struct in6_addr *ip)
{
	for (size_t i = 0; i < list->count; i++) {
		if (network_contains(&list->networks[i], ip))
			return true;
	}
	return false;
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
