/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A list of networks, for `allow` and `deny`: as written, for display, and sorted, for searches.
 * Owns its entries unless it shares those of another list. Built once by the configuration, then
 * only read.
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"

struct network {
	struct in6_addr address; /* IPv4 as v4-mapped */
	unsigned bits;		 /* of the 128, so 96 to 128 for IPv4 */
};

struct netlist_range;

struct netlist {
	struct network *networks; /* in the order they were added */
	size_t count;
	struct netlist_range *ranges; /* the same addresses, ascending and disjoint */
	size_t range_count;
	bool shared; /* entries owned by another list */
};

/* Adds ADDRESS or ADDRESS/BITS. Host bits must be 0; otherwise the reason names the network. */
int netlist_add(struct netlist *list, const char *text, struct reason *reason) WARN_UNUSED;

/* Makes the empty list TO use the entries of FROM, which must outlive it and no longer change. */
void netlist_share(struct netlist *to, const struct netlist *from);

void netlist_clear(struct netlist *list);

/*
 * An IPv6 network never contains an IPv4 address: ::/0 is all of IPv6 and no IPv4. Logarithmic in
 * the number of networks.
 */
bool netlist_contains(const struct netlist *list, const struct in6_addr *ip);

#define NETWORK_TEXT_MAX 64

/* "192.0.2.0/24", "2001:db8::/32"; a single host without /BITS. */
const char *network_format(const struct network *network, char text[static NETWORK_TEXT_MAX]);
