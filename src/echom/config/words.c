/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See words.h. Called through their rows in settings.c. */

#include "config.h"

#include "echom/config/words.h"

#include <stdio.h>
#include <string.h>

#include "base/stamp_format.h"
#include "probe/target.h"

const char *const watch_protocol_names[WATCH_PROTOCOLS] = {
	[WATCH_UDP] = "udp", [WATCH_TCP] = "tcp", [WATCH_STAMP] = "stamp"};

static bool format_word(const struct setting *setting UNUSED, const void *value, size_t item,
			char *text)
{
	(void)snprintf(text, VALUE_TEXT_MAX, "%s", (const char *)value);
	return item == 0 && text[0] != '\0';
}

static void append_port(char address[static WATCH_ADDRESS_MAX], uint16_t port)
{
	size_t length = strlen(address);

	(void)snprintf(address + length, WATCH_ADDRESS_MAX - length, ":%u", port);
}

/* Both defaults are tried: an address without a port gets each. */
int watch_address_parse(char address[static WATCH_ADDRESS_MAX], const char *text,
			struct reason *reason)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789.-_:%";
	char host[TARGET_NAME_MAX];
	uint16_t port, other;

	if (target_split(text, TARGET_DEFAULT_PORT, host, &port, reason) < 0 ||
	    target_split(text, STAMP_PORT, host, &other, reason) < 0)
		return -1;
	if (host[strspn(host, allowed)] != '\0')
		return reason_set(reason, "\"%s\" is not a host: letters, digits and . - _ : %%",
				  host);
	(void)snprintf(address, WATCH_ADDRESS_MAX, strchr(host, ':') ? "[%s]" : "%s", host);
	if (port == other)
		append_port(address, port);
	return 0;
}

static int parse_address(const struct setting *setting UNUSED, void *value, const char *text,
			 struct reason *reason)
{
	return watch_address_parse(value, text, reason);
}

void watch_address_complete(char address[static WATCH_ADDRESS_MAX], enum watch_protocol protocol)
{
	const char *port = strrchr(address, ':');

	if (!port || strchr(port, ']'))
		append_port(address, protocol == WATCH_STAMP ? STAMP_PORT : TARGET_DEFAULT_PORT);
}

static int parse_protocol(const struct setting *setting UNUSED, void *value, const char *text,
			  struct reason *reason)
{
	for (uint64_t protocol = 0; protocol < WATCH_PROTOCOLS; protocol++) {
		if (strcmp(text, watch_protocol_names[protocol]) == 0) {
			*(uint64_t *)value = protocol;
			return 0;
		}
	}
	return reason_set(reason, "\"%s\" is not udp, tcp or stamp", text);
}

static bool format_protocol(const struct setting *setting UNUSED, const void *value, size_t item,
			    char *text)
{
	(void)snprintf(text, VALUE_TEXT_MAX, "%s", watch_protocol_names[*(const uint64_t *)value]);
	return item == 0;
}

static int parse_source(const struct setting *setting UNUSED, void *value, const char *text,
			struct reason *reason)
{
	struct address address;

	if (address_from_ip(&address, text, 0, reason) < 0)
		return -1;
	(void)snprintf(value, WATCH_SOURCE_MAX, "%s", text);
	return 0;
}

const struct value_type watch_address_value = {
	.size = WATCH_ADDRESS_MAX, .parse = parse_address, .format = format_word};
const struct value_type watch_protocol_value = {
	.size = sizeof(uint64_t), .parse = parse_protocol, .format = format_protocol};
const struct value_type watch_source_value = {
	.size = WATCH_SOURCE_MAX, .parse = parse_source, .format = format_word};
