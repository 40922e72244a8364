/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Lines of text as networks. Every one that is accepted is written as it is read, and contains what
 * a bit by bit comparison finds in it.
 */

#include "config.h"

#include "base/netlist.h"
#include "fuzz/fuzz.h"

static unsigned bit(const struct in6_addr *ip, unsigned number)
{
	return ip->s6_addr[number / 8] >> (7 - number % 8) & 1;
}

static bool is_ipv4(const struct network *network)
{
	return network->bits >= 96 && IN6_IS_ADDR_V4MAPPED(&network->address);
}

static bool contains(const struct network *network, const struct in6_addr *ip)
{
	if (IN6_IS_ADDR_V4MAPPED(ip) && !is_ipv4(network))
		return false;
	for (unsigned i = 0; i < network->bits; i++) {
		if (bit(ip, i) != bit(&network->address, i))
			return false;
	}
	return true;
}

static bool any_contains(const struct netlist *list, const struct in6_addr *ip)
{
	for (size_t i = 0; i < list->count; i++) {
		if (contains(&list->networks[i], ip))
			return true;
	}
	return false;
}

static void check_text(const struct network *network)
{
	char text[NETWORK_TEXT_MAX];
	struct netlist again = {0};
	struct reason reason;

	FUZZ_CHECK(strlen(network_format(network, text)) < sizeof(text));
	FUZZ_CHECK(netlist_add(&again, text, &reason) == 0);
	FUZZ_CHECK(again.networks[0].bits == network->bits);
	FUZZ_CHECK(IN6_ARE_ADDR_EQUAL(&again.networks[0].address, &network->address));
	netlist_clear(&again);
}

static void check_address(const struct netlist *list, const struct in6_addr *ip)
{
	FUZZ_CHECK(netlist_contains(list, ip) == any_contains(list, ip));
}

static struct in6_addr neighbour(struct in6_addr ip, int step)
{
	for (int i = 15; i >= 0; i--) {
		ip.s6_addr[i] = (uint8_t)(ip.s6_addr[i] + step);
		if (ip.s6_addr[i] != (step == 1 ? 0 : 0xff))
			break;
	}
	return ip;
}

/* Its first and last address, those just outside, and the first with any one bit turned. */
static void check_edges(const struct netlist *list, const struct network *network)
{
	struct in6_addr last = network->address, ip;

	FUZZ_CHECK(network->bits <= 128);
	for (unsigned i = 0; i < 128; i++) {
		ip = network->address;
		ip.s6_addr[i / 8] ^= (uint8_t)(0x80 >> i % 8);
		check_address(list, &ip);
		if (i >= network->bits)
			last.s6_addr[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
	check_address(list, &network->address);
	check_address(list, &last);
	ip = neighbour(network->address, -1);
	check_address(list, &ip);
	ip = neighbour(last, 1);
	check_address(list, &ip);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text, *line;
	struct netlist list = {0}, shared;
	struct reason reason;

	while ((line = strsep(&rest, "\n")) && list.count < 16)
		(void)!netlist_add(&list, line, &reason);
	netlist_share(&shared, &list);
	for (size_t i = 0; i < shared.count; i++) {
		check_text(&shared.networks[i]);
		check_edges(&shared, &shared.networks[i]);
	}
	netlist_clear(&shared);
	netlist_clear(&list);
	free(text);
	return 0;
}
