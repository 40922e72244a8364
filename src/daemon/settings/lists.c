/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Values that are lists of words: addresses, protocols, networks. Each list owns its entries.
 * Called through the rows of the table in settings.c.
 */

#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/settings/values.h"
#include "echod/config/configuration.h"
#include "echod/config/settings.h"

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

static const struct {
	const char *name;
	uint64_t bit;
} protocols[] = {{"tcp", PROTOCOL_TCP}, {"udp", PROTOCOL_UDP}};

static int parse_protocol(const struct setting *setting UNUSED, void *value, const char *text,
			  struct reason *reason)
{
	uint64_t *bits = value;

	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (strcmp(text, protocols[i].name) != 0)
			continue;
		if (*bits & protocols[i].bit)
			return reason_set(reason, "%s is named twice", text);
		*bits |= protocols[i].bit;
		return 0;
	}
	return reason_set(reason, "\"%s\" is neither tcp nor udp", text);
}

/* Item number ITEM of those protocols whose bit is set. */
static bool format_protocol(const struct setting *setting UNUSED, const void *value, size_t item,
			    char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(protocols); i++) {
		if (!(*(const uint64_t *)value & protocols[i].bit) || item-- > 0)
			continue;
		(void)snprintf(text, VALUE_TEXT_MAX, "%s", protocols[i].name);
		return true;
	}
	return false;
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

/* Addresses are never handed on: [defaults] has none. */
const struct value_type addresses_value = {.size = sizeof(struct address_list),
					   .list = true,
					   .repeatable = true,
					   .parse = parse_address,
					   .format = format_address,
					   .clear = clear_addresses};
const struct value_type protocols_value = {
	.size = sizeof(uint64_t), .list = true, .parse = parse_protocol, .format = format_protocol};
const struct value_type networks_value = {.size = sizeof(struct netlist),
					  .list = true,
					  .repeatable = true,
					  .parse = parse_network,
					  .format = format_network,
					  .share = share_networks,
					  .clear = clear_networks};
