/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Values that are lists of words: addresses and networks. Each list owns its entries.
 * Called through rows of a program's table.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/netlist.h"
#include "daemon/settings/listen_address.h"
#include "daemon/settings/values.h"

static int parse_address(const struct setting *setting UNUSED, void *value, const char *text,
			 struct reason *reason)
{
	struct address_list *list = value;
	struct listen_address address, *items;

	if (listen_address_parse(&address, text, reason) < 0)
		return -1;
	items = reallocarray(list->items, list->count + 1, sizeof(*items));
	if (!items)
		return reason_set(reason, "not enough memory");
	list->items = items;
	list->items[list->count++] = address;
	return 0;
}

static bool format_address(const struct setting *setting UNUSED, const void *value, size_t item,
			   char *text)
{
	const struct address_list *list = value;

	if (item >= list->count)
		return false;
	(void)listen_address_format(&list->items[item], text);
	return true;
}

static void clear_addresses(void *value)
{
	struct address_list *list = value;

	free(list->items);
	*list = (struct address_list){0};
}

static int parse_network(const struct setting *setting UNUSED, void *value, const char *text,
			 struct reason *reason)
{
	return netlist_add(value, text, reason);
}

static bool format_network(const struct setting *setting UNUSED, const void *value, size_t item,
			   char *text)
{
	const struct netlist *list = value;

	if (item >= list->count)
		return false;
	(void)network_format(&list->networks[item], text);
	return true;
}

static void share_networks(void *to, const void *from)
{
	netlist_share(to, from);
}

static void clear_networks(void *value)
{
	netlist_clear(value);
}

/* Addresses are never shared, because [defaults] has none. */
const struct value_type addresses_value = {.size = sizeof(struct address_list),
					   .list = true,
					   .repeatable = true,
					   .parse = parse_address,
					   .format = format_address,
					   .clear = clear_addresses};
const struct value_type networks_value = {.size = sizeof(struct netlist),
					  .list = true,
					  .repeatable = true,
					  .parse = parse_network,
					  .format = format_network,
					  .share = share_networks,
					  .clear = clear_networks};
