/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Headers of the PROXY protocol, written. Owns nothing; target_socket.c sends them.
 */

#include "config.h"

#include "probe/proxy_greeting.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/big_endian.h"

#define FIXED_SIZE 16
#define VERSION_AND_PROXY 0x21
#define TCP4 0x11
#define TCP6 0x21

static bool is_v4(const struct address *address)
{
	return address->sa.sa_family == AF_INET;
}

/* The bare address, without the zone that address_format() shows. */
static const void *ip_of(const struct address *address)
{
	return is_v4(address) ? (const void *)&address->in4.sin_addr
			      : (const void *)&address->in6.sin6_addr;
}

static size_t write_v1(const struct address *source, const struct address *destination,
		       unsigned char *header)
{
	int family = source->sa.sa_family;
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];

	(void)inet_ntop(family, ip_of(source), from, sizeof(from));
	(void)inet_ntop(family, ip_of(destination), to, sizeof(to));
	return (size_t)snprintf((char *)header, PROXY_GREETING_MAX, "PROXY TCP%d %s %s %u %u\r\n",
				is_v4(source) ? 4 : 6, from, to, address_port(source),
				address_port(destination));
}

static size_t write_v2(const struct address *source, const struct address *destination,
		       unsigned char *header)
{
	static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";
	size_t size = is_v4(source) ? sizeof(struct in_addr) : sizeof(struct in6_addr);
	size_t ports = FIXED_SIZE + 2 * size;
	size_t length = ports + 2 * sizeof(uint16_t);

	memcpy(header, signature, sizeof(signature) - 1);
	header[12] = VERSION_AND_PROXY;
	header[13] = is_v4(source) ? TCP4 : TCP6;
	put16(header + 14, (uint16_t)(length - FIXED_SIZE));
	memcpy(header + FIXED_SIZE, ip_of(source), size);
	memcpy(header + FIXED_SIZE + size, ip_of(destination), size);
	put16(header + ports, address_port(source));
	put16(header + ports + 2, address_port(destination));
	return length;
}

size_t proxy_greeting_write(enum proxy_greeting version, const struct address *source,
			    const struct address *destination,
			    unsigned char header[static PROXY_GREETING_MAX])
{
	struct address from = *source, to = *destination;

	address_unmap(&from);
	address_unmap(&to);
	if (version == PROXY_GREETING_V1)
		return write_v1(&from, &to, header);
	return write_v2(&from, &to, header);
}
