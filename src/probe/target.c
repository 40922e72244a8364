/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Names and addresses of the other side, looked up once at the start. Owns nothing; the sockets
 * that target_socket.c opens belong to the caller.
 */

#include "config.h"

#include "probe/target.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "probe/probe.h"

#define UDP4_MAX 65507u
#define UDP6_MAX 65527u
#define UNIXGRAM_MAX 65535u

static const char *after(const char *text, const char *start)
{
	size_t length = strlen(start);

	return strncmp(text, start, length) == 0 ? text + length : NULL;
}

int target_split(const char *text, uint16_t default_port, char host[static TARGET_NAME_MAX],
		 uint16_t *port, struct reason *reason)
{
	if (address_split(text, default_port, host, TARGET_NAME_MAX, port, reason) < 0)
		return -1;
	if (*host == '\0')
		return reason_set(reason, "missing host");
	if (strcmp(host, "*") == 0) /* to the resolver it is this host */
		return reason_set(reason, "\"*\" is not a host");
	return *port != 0 ? 0 : reason_set(reason, "port 0: must be from 1 to %u", UINT16_MAX);
}

static int version_of(int family)
{
	return family == AF_INET ? 4 : 6;
}

static void keep_candidates(struct target *target, const struct addrinfo *list)
{
	for (; list && target->count < TARGET_CANDIDATES; list = list->ai_next) {
		struct address *candidate = &target->candidates[target->count];

		if (list->ai_addrlen > sizeof(candidate->in6))
			continue;
		memcpy(&candidate->sa, list->ai_addr, list->ai_addrlen);
		candidate->length = list->ai_addrlen;
		target->count++;
	}
}

/* What getaddrinfo() returned for HOST, in words that help. */
static int no_address(int error, const char *host, int family, bool has_source,
		      struct reason *reason)
{
	if (error == EAI_ADDRFAMILY)
		return reason_set(reason, "\"%s\" has no IPv%d address%s", host, version_of(family),
				  has_source ? ", which the source address requires" : "");
	if (error != EAI_NONAME && error != EAI_NODATA)
		return reason_set(reason, "cannot look up \"%s\": %s", host, gai_strerror(error));
	if (family == AF_UNSPEC)
		return reason_set(reason, "unknown host \"%s\"", host);
	return reason_set(reason, "unknown host \"%s\" (IPv%d)", host, version_of(family));
}

static int look_up(struct target *target, int family, uint16_t default_port, struct reason *reason)
{
	bool has_source = target->source.length > 0;
	struct addrinfo hints = {.ai_family = has_source ? target->source.sa.sa_family : family,
				 .ai_socktype = target->datagram ? SOCK_DGRAM : SOCK_STREAM};
	struct addrinfo *list = NULL;
	char host[TARGET_NAME_MAX];
	char service[8];
	uint16_t port;
	int error;

	if (target_split(target->name, default_port, host, &port, reason) < 0)
		return -1;
	snprintf(service, sizeof(service), "%u", port);
	hints.ai_flags = AI_NUMERICSERV;
	error = getaddrinfo(host, service, &hints, &list);
	if (error != 0)
		return no_address(error, host, hints.ai_family, has_source, reason);
	keep_candidates(target, list);
	freeaddrinfo(list);
	return target->count > 0 ? 0 : reason_set(reason, "\"%s\" has no usable address", host);
}

static int take_path(struct target *target, const char *path, struct reason *reason)
{
	target->count = 1;
	return address_from_path(&target->candidates[0], path, reason);
}

/* The kernel takes "eth0:1" for eth0. */
static bool is_interface(const char *text)
{
	char name[IF_NAMESIZE];
	unsigned index = strlen(text) < IF_NAMESIZE ? if_nametoindex(text) : 0;

	return index != 0 && if_indextoname(index, name) && strcmp(name, text) == 0;
}

/* An address, with or without a port, or else an interface. */
static int parse_source(struct target *target, const char *text, struct reason *reason)
{
	char host[TARGET_NAME_MAX];
	struct reason ignored;
	uint16_t port;

	if (address_split(text, 0, host, sizeof(host), &port, &ignored) == 0 &&
	    address_from_ip(&target->source, host, port, &ignored) == 0)
		return 0;
	target->source.length = 0;
	if (!is_interface(text))
		return reason_set(reason,
				  "source %s: neither ADDRESS[:PORT] nor an interface of this host",
				  text);
	(void)snprintf(target->interface, sizeof(target->interface), "%s", text);
	return 0;
}

static int take_source(struct target *target, const struct target_options *options,
		       struct reason *reason)
{
	if (!options->source)
		return 0;
	if (parse_source(target, options->source, reason) < 0)
		return -1;
	if (target->source.length > 0 && options->family != AF_UNSPEC &&
	    options->family != target->source.sa.sa_family)
		return reason_set(reason, "source %s is not an IPv%d address", options->source,
				  version_of(options->family));
	return 0;
}

static uint64_t largest_message(const struct target *target, const struct address *candidate)
{
	if (!target->datagram)
		return PROBE_SIZE_MAX;
	switch (candidate->sa.sa_family) {
	case AF_INET:
		return UDP4_MAX;
	case AF_INET6:
		return UDP6_MAX;
	default:
		return UNIXGRAM_MAX;
	}
}

static int resolve_any(struct target *target, const struct target_options *options,
		       struct reason *reason)
{
	const char *stream = after(target->name, "unix:");
	const char *datagram = after(target->name, "unixgram:");

	target->datagram = options->udp || datagram;
	target->protocol = options->udp ? "udp" : "tcp";
	if (stream || datagram) {
		target->protocol = stream ? "unix" : "unixgram";
		return take_path(target, stream ? stream : datagram, reason);
	}
	if (take_source(target, options, reason) < 0)
		return -1;
	return look_up(target, options->family,
		       options->default_port > 0 ? options->default_port : TARGET_DEFAULT_PORT,
		       reason);
}

static const char *family_text(const struct target *target)
{
	int family = target->candidates[0].sa.sa_family;

	if (!target->datagram || family == AF_UNIX)
		return "";
	return family == AF_INET ? " and IPv4" : " and IPv6";
}

/* IPv6 takes larger ones than IPv4: not all addresses of a name may do for SIZE. */
static int drop_too_small(struct target *target, uint64_t size, struct reason *reason)
{
	uint64_t limit = largest_message(target, &target->candidates[0]);
	size_t count = 0;

	for (size_t i = 0; i < target->count; i++) {
		if (size <= largest_message(target, &target->candidates[i]))
			target->candidates[count++] = target->candidates[i];
	}
	if (count == 0)
		return reason_set(reason,
				  "%llu bytes do not fit: a message over %s%s has at most %llu",
				  (unsigned long long)size, target->protocol, family_text(target),
				  (unsigned long long)limit);
	target->count = count;
	return 0;
}

int target_resolve(struct target *target, const struct target_options *options, uint64_t size,
		   struct reason *reason)
{
	memset(target, 0, sizeof(*target));
	target->name = options->name;
	target->fragmenting = options->fragmenting;
	target->proxy = options->proxy;
	target->ttl = (uint8_t)options->ttl;
	target->tos = options->tos;
	if (resolve_any(target, options, reason) < 0)
		return -1;
	return drop_too_small(target, size, reason);
}
