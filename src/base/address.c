/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Socket addresses: parsing, formatting, and the canonical form of an IP address. Owns nothing;
 * called for listeners, metrics and log lines, and by the client.
 */

#include "config.h"

#include "base/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"

/* A number stays good where the kernel cannot be asked. */
static bool is_interface(uint64_t number)
{
	char name[IF_NAMESIZE];

	return if_indextoname((unsigned)number, name) != NULL || errno != ENXIO;
}

/* An interface by its name or its number. */
static int parse_zone(const char *zone, uint32_t *scope, struct reason *reason)
{
	uint64_t number;
	struct reason ignored;

	*scope = if_nametoindex(zone);
	if (*scope != 0)
		return 0;
	if (parse_unsigned(zone, 1, UINT32_MAX, &number, &ignored) < 0 || !is_interface(number))
		return reason_set(reason, "there is no network interface \"%s\"", zone);
	*scope = (uint32_t)number;
	return 0;
}

static bool is_link_local(const struct in6_addr *ip)
{
	return IN6_IS_ADDR_LINKLOCAL(ip) || IN6_IS_ADDR_MC_LINKLOCAL(ip);
}

static int address_from_ipv6(struct address *address, const char *host, uint16_t port,
			     struct reason *reason)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
	size_t length = strcspn(host, "%");
	char ip[INET6_ADDRSTRLEN];

	if (length >= sizeof(ip))
		return reason_set(reason, "\"%s\" is not an IP address", host);
	memcpy(ip, host, length);
	ip[length] = '\0';
	if (inet_pton(AF_INET6, ip, &in6.sin6_addr) != 1)
		return reason_set(reason, "\"%s\" is not an IP address", host);
	if (host[length] == '%') {
		if (!is_link_local(&in6.sin6_addr))
			return reason_set(reason, "%s is not link-local: leave out \"%s\"", ip,
					  host + length);
		if (parse_zone(host + length + 1, &in6.sin6_scope_id, reason) < 0)
			return -1;
	} else if (is_link_local(&in6.sin6_addr)) {
		return reason_set(reason, "%s is link-local: add its interface, like %s%%eth0", ip,
				  ip);
	}
	address->in6 = in6;
	address->length = sizeof(in6);
	return 0;
}

int address_from_ip(struct address *address, const char *host, uint16_t port, struct reason *reason)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET, .sin_port = htons(port)};

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, host, &in4.sin_addr) != 1)
		return address_from_ipv6(address, host, port, reason);
	address->in4 = in4;
	address->length = sizeof(in4);
	return 0;
}

int address_from_path(struct address *address, const char *path, struct reason *reason)
{
	size_t length = strlen(path);

	memset(address, 0, sizeof(*address));
	if (path[0] != '/')
		return reason_set(reason, "\"%s\" is not a path that starts with /", path);
	if (length >= sizeof(address->un.sun_path))
		return reason_set(reason, "the path has %zu bytes, a unix socket at most %zu",
				  length, sizeof(address->un.sun_path) - 1);
	address->un.sun_family = AF_UNIX;
	memcpy(address->un.sun_path, path, length + 1);
	address->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
	return 0;
}

/* The parts of HOST:PORT, which still lie in the text. */
struct host_port {
	const char *host;
	size_t host_length;
	const char *port; /* NULL if missing */
};

/* False when brackets are not closed, or followed by anything but a port. */
static bool find_parts(const char *text, struct host_port *parts)
{
	const char *end = strchr(text, ':');

	*parts = (struct host_port){.host = text, .host_length = strlen(text)};
	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return false;
		parts->host = text + 1;
		parts->host_length = (size_t)(end - parts->host);
		parts->port = end[1] == ':' ? end + 2 : NULL;
	} else if (end && end == strrchr(text, ':')) {
		parts->host_length = (size_t)(end - text);
		parts->port = end + 1;
	}
	return true;
}

/* Without brackets the last part of an IPv6 address cannot be told from a port. */
static bool is_bracketed_well(const char *text, const struct host_port *parts, bool port_required)
{
	bool is_ipv6 = memchr(parts->host, ':', parts->host_length) != NULL;

	return text[0] == '[' ? is_ipv6 : !is_ipv6 || !port_required;
}

int address_split(const char *text, int default_port, char *host, size_t host_size, uint16_t *port,
		  struct reason *reason)
{
	uint64_t number = (uint64_t)default_port;
	bool required = default_port == PORT_REQUIRED;
	struct host_port parts;
	struct reason why;

	if (!find_parts(text, &parts) || !is_bracketed_well(text, &parts, required))
		return reason_set(reason,
				  "\"%s\": put an IPv6 address, and nothing else, in brackets, "
				  "like [::1]:7",
				  text);
	if (!parts.port && required)
		return reason_set(reason, "\"%s\" has no port: write HOST:PORT or [IPV6]:PORT",
				  text);
	if (parts.port && parse_unsigned(parts.port, 0, UINT16_MAX, &number, &why) < 0)
		return reason_set(reason, "port %s", why.text);
	if (parts.host_length >= host_size)
		return reason_set(reason, "the host in \"%s\" is too long", text);
	memcpy(host, parts.host, parts.host_length);
	host[parts.host_length] = '\0';
	*port = (uint16_t)number;
	return 0;
}

_Static_assert(ADDRESS_TEXT_MAX > sizeof(struct sockaddr_un), "no room for every unix address");

/* A path, or "@" and an abstract name; unprintable bytes, which both may contain, are replaced. */
static void format_unix(const struct address *address, char *text)
{
	size_t length = address->length - offsetof(struct sockaddr_un, sun_path);
	const char *path = address->un.sun_path;

	if (address->length <= offsetof(struct sockaddr_un, sun_path)) {
		(void)snprintf(text, ADDRESS_TEXT_MAX, "unix");
		return;
	}
	/* The kernel includes the NUL in the length even if it did not fit. */
	if (length > sizeof(address->un.sun_path))
		length = sizeof(address->un.sun_path);
	if (path[0] != '\0')
		length = strnlen(path, length);
	for (size_t i = 0; i < length; i++) {
		unsigned char byte = (unsigned char)path[i];

		text[i] = (char)(byte < ' ' || byte == 0x7f ? '?' : byte);
	}
	text[length] = '\0';
	if (path[0] == '\0')
		text[0] = '@';
}

static void format_ipv6(const struct sockaddr_in6 *in6, char *text)
{
	char ip[INET6_ADDRSTRLEN], name[IF_NAMESIZE], zone[IF_NAMESIZE + 1] = "";

	(void)inet_ntop(AF_INET6, &in6->sin6_addr, ip, sizeof(ip));
	if (in6->sin6_scope_id != 0 && if_indextoname(in6->sin6_scope_id, name) != NULL)
		(void)snprintf(zone, sizeof(zone), "%%%s", name);
	else if (in6->sin6_scope_id != 0)
		(void)snprintf(zone, sizeof(zone), "%%%u", (unsigned)in6->sin6_scope_id);
	(void)snprintf(text, ADDRESS_TEXT_MAX, "[%s%s]:%u", ip, zone,
		       (unsigned)ntohs(in6->sin6_port));
}

const char *address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX])
{
	char ip[INET_ADDRSTRLEN];

	if (address->length == 0) {
		(void)snprintf(text, ADDRESS_TEXT_MAX, "(none)");
	} else if (address->sa.sa_family == AF_INET) {
		(void)inet_ntop(AF_INET, &address->in4.sin_addr, ip, sizeof(ip));
		(void)snprintf(text, ADDRESS_TEXT_MAX, "%s:%u", ip,
			       (unsigned)ntohs(address->in4.sin_port));
	} else if (address->sa.sa_family == AF_INET6) {
		format_ipv6(&address->in6, text);
	} else {
		format_unix(address, text);
	}
	return text;
}

void address_unmap(struct address *address)
{
	struct sockaddr_in in4 = {.sin_family = AF_INET};

	if (address->length == 0 || address->sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&address->in6.sin6_addr))
		return;
	in4.sin_port = address->in6.sin6_port;
	memcpy(&in4.sin_addr, &address->in6.sin6_addr.s6_addr[12], sizeof(in4.sin_addr));
	memset(address, 0, sizeof(*address));
	address->in4 = in4;
	address->length = sizeof(in4);
}

uint16_t address_port(const struct address *address)
{
	if (address->sa.sa_family == AF_INET)
		return ntohs(address->in4.sin_port);
	if (address->sa.sa_family == AF_INET6)
		return ntohs(address->in6.sin6_port);
	return 0;
}

void address_set_port(struct address *address, uint16_t port)
{
	if (address->sa.sa_family == AF_INET)
		address->in4.sin_port = htons(port);
	else if (address->sa.sa_family == AF_INET6)
		address->in6.sin6_port = htons(port);
}

bool address_equal(const struct address *a, const struct address *b)
{
	if (a->length != b->length)
		return false;
	if (a->length == 0)
		return true;
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in4.sin_port == b->in4.sin_port &&
		       a->in4.sin_addr.s_addr == b->in4.sin_addr.s_addr;
	if (a->sa.sa_family == AF_INET6)
		return a->in6.sin6_port == b->in6.sin6_port &&
		       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
		       IN6_ARE_ADDR_EQUAL(&a->in6.sin6_addr, &b->in6.sin6_addr);
	return memcmp(&a->un, &b->un, a->length) == 0;
}

static bool is_wildcard(const struct address *address)
{
	if (address->sa.sa_family == AF_INET)
		return address->in4.sin_addr.s_addr == INADDR_ANY;
	return address->sa.sa_family == AF_INET6 &&
	       IN6_IS_ADDR_UNSPECIFIED(&address->in6.sin6_addr);
}

bool address_overlaps(const struct address *a, const struct address *b)
{
	if (address_equal(a, b))
		return true;
	return a->length == b->length && a->sa.sa_family == b->sa.sa_family &&
	       address_port(a) == address_port(b) && (is_wildcard(a) || is_wildcard(b));
}

bool address_ip(const struct sockaddr *sa, struct in6_addr *ip)
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	if (sa->sa_family == AF_INET) {
		memcpy(&in4, sa, sizeof(in4));
		memset(ip, 0, sizeof(*ip));
		ip->s6_addr[10] = ip->s6_addr[11] = 0xff;
		memcpy(&ip->s6_addr[12], &in4.sin_addr, sizeof(in4.sin_addr));
		return true;
	}
	if (sa->sa_family == AF_INET6) {
		memcpy(&in6, sa, sizeof(in6));
		*ip = in6.sin6_addr;
		return true;
	}
	return false;
}

bool ip_is_loopback(const struct in6_addr *ip)
{
	return IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
}

bool address_is_local(const struct address *address)
{
	struct in6_addr ip;

	return !address_ip(&address->sa, &ip) || ip_is_loopback(&ip);
}
