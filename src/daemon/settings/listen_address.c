/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A listener's address: its text, and the socket addresses it represents. Owns nothing; parsed by
 * the configuration and the command line, used to open the sockets.
 */

#include "config.h"

#include "daemon/settings/listen_address.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Long enough for every IPv6 address with a zone. */
#define HOST_MAX 80

/* Blanks separate addresses in a file, so a path with a blank could not be read back. */
static bool is_plain(const char *path)
{
	for (; *path != '\0'; path++) {
		if ((unsigned char)*path <= ' ' || *path == 0x7f)
			return false;
	}
	return true;
}

static int parse_path(struct listen_address *address, enum address_kind kind, const char *path,
		      struct reason *reason)
{
	if (!is_plain(path))
		return reason_set(reason, "the path contains a blank or a control character");
	if (address_from_path(&address->parts[0], path, reason) < 0)
		return -1;
	address->kind = kind;
	address->count = 1;
	return 0;
}

static void set_pair(struct listen_address *address, in_addr_t ipv4, struct in6_addr ipv6,
		     uint16_t port)
{
	address->pair = true;
	address->count = 2;
	address->parts[0].length = sizeof(address->parts[0].in4);
	address->parts[0].in4.sin_family = AF_INET;
	address->parts[0].in4.sin_addr.s_addr = htonl(ipv4);
	address->parts[1].length = sizeof(address->parts[1].in6);
	address->parts[1].in6.sin6_family = AF_INET6;
	address->parts[1].in6.sin6_addr = ipv6;
	address_set_port(&address->parts[0], port);
	address_set_port(&address->parts[1], port);
}

/* A valid interface name, even if no such interface exists. */
static bool is_zone(const char *zone)
{
	return *zone != '\0' && strlen(zone) < IF_NAMESIZE && is_plain(zone);
}

/*
 * True if HOST would be valid if its interface existed. That is an error only if the address is
 * opened, so the name is kept.
 */
static bool parse_absent(struct listen_address *address, const char *host, uint16_t port)
{
	size_t length = strcspn(host, "%");
	char present[HOST_MAX + sizeof("%1")];
	struct reason ignored;

	if (host[length] == '\0' || !is_zone(host + length + 1))
		return false;
	/* Interface 1 is the loopback one of every network. */
	(void)snprintf(present, sizeof(present), "%.*s%%1", (int)length, host);
	if (address_from_ip(&address->parts[0], present, port, &ignored) < 0)
		return false;
	address->parts[0].in6.sin6_scope_id = 0;
	(void)snprintf(address->zone, sizeof(address->zone), "%s", host + length + 1);
	return true;
}

static int parse_ip(struct listen_address *address, const char *host, uint16_t port,
		    struct reason *reason)
{
	struct address *part = &address->parts[0];

	if (address_from_ip(part, host, port, reason) < 0 && !parse_absent(address, host, port))
		return -1;
	if (part->sa.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&part->in6.sin6_addr))
		return reason_set(reason, "\"%s\" is an IPv4 address: write it as one", host);
	address->count = 1;
	return 0;
}

static int parse_inet(struct listen_address *address, const char *text, struct reason *reason)
{
	char host[HOST_MAX];
	uint16_t port;

	if (address_split(text, PORT_REQUIRED, host, sizeof(host), &port, reason) < 0)
		return -1;
	address->kind = ADDRESS_INET;
	if (host[0] == '\0' || strcmp(host, "*") == 0) {
		address->any = true;
		set_pair(address, INADDR_ANY, in6addr_any, port);
		return 0;
	}
	if (strcmp(host, "localhost") == 0) {
		set_pair(address, INADDR_LOOPBACK, in6addr_loopback, port);
		return 0;
	}
	return parse_ip(address, host, port, reason);
}

int listen_address_parse(struct listen_address *address, const char *text, struct reason *reason)
{
	struct reason why;
	int status;

	memset(address, 0, sizeof(*address));
	if (strncmp(text, "unix:", 5) == 0)
		status = parse_path(address, ADDRESS_UNIX, text + 5, &why);
	else if (strncmp(text, "unixgram:", 9) == 0)
		status = parse_path(address, ADDRESS_UNIXGRAM, text + 9, &why);
	else
		status = parse_inet(address, text, &why);
	if (status < 0)
		return reason_set(reason,
				  "%s; allowed are *:PORT, IPV4:PORT, [IPV6]:PORT, localhost:PORT, "
				  "unix:/PATH and unixgram:/PATH",
				  why.text);
	return 0;
}

const char *listen_address_format(const struct listen_address *address,
				  char text[static LISTEN_ADDRESS_TEXT_MAX])
{
	char part[ADDRESS_TEXT_MAX];
	unsigned port = address_port(&address->parts[0]);

	(void)address_format(&address->parts[0], part);
	if (address->kind == ADDRESS_UNIX)
		(void)snprintf(text, LISTEN_ADDRESS_TEXT_MAX, "unix:%s", part);
	else if (address->kind == ADDRESS_UNIXGRAM)
		(void)snprintf(text, LISTEN_ADDRESS_TEXT_MAX, "unixgram:%s", part);
	else if (address->pair)
		(void)snprintf(text, LISTEN_ADDRESS_TEXT_MAX, "%s:%u",
			       address->any ? "*" : "localhost", port);
	else if (address->zone[0] != '\0') /* "[fe80::1]:7", with the zone added */
		(void)snprintf(text, LISTEN_ADDRESS_TEXT_MAX, "%.*s%%%s]:%u",
			       (int)strcspn(part, "]"), part, address->zone, port);
	else
		(void)snprintf(text, LISTEN_ADDRESS_TEXT_MAX, "%s", part);
	return text;
}

bool listen_address_collides(const struct listen_address *a, const struct listen_address *b)
{
	if (strcmp(a->zone, b->zone) != 0)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		for (size_t j = 0; j < b->count; j++) {
			if (address_equal(&a->parts[i], &b->parts[j]))
				return true;
		}
	}
	return false;
}
