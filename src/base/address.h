/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Socket addresses: one value type for IPv4, IPv6 and UNIX, its text form, and the canonical form
 * of an IP address (IPv4 as v4-mapped IPv6) that lists and tables compare.
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/compiler.h"
#include "base/reason.h"

struct address {
	socklen_t length; /* 0: no address */
	union {
		struct sockaddr sa;
		struct sockaddr_in in4;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
	};
};

/* Large enough for every text that address_format writes. */
#define ADDRESS_TEXT_MAX 160

/* HOST is an IPv4 or IPv6 literal, the latter optionally with %ZONE; never a name. */
int address_from_ip(struct address *address, const char *host, uint16_t port,
		    struct reason *reason) WARN_UNUSED;

/* Makes a UNIX socket address of PATH, which must be absolute and fit. */
int address_from_path(struct address *address, const char *path, struct reason *reason) WARN_UNUSED;

/*
 * Splits HOST:PORT or [IPV6]:PORT. Unless it is PORT_REQUIRED, DEFAULT_PORT stands in for a missing
 * :PORT, and an IPv6 address without one needs no brackets. HOST may be empty, PORT 0.
 */
#define PORT_REQUIRED (-1)
int address_split(const char *text, int default_port, char *host, size_t host_size, uint16_t *port,
		  struct reason *reason) WARN_UNUSED;

/* "192.0.2.7:7", "[2001:db8::7]:7", "[fe80::1%eth0]:7", "/run/x" ("unix" if it has no name). */
const char *address_format(const struct address *address, char text[static ADDRESS_TEXT_MAX]);

/*
 * Converts a v4-mapped IPv6 socket address to IPv4; leaves others unchanged.
 */
void address_unmap(struct address *address);

uint16_t address_port(const struct address *address); /* 0 for UNIX */
void address_set_port(struct address *address, uint16_t port);
bool address_equal(const struct address *a, const struct address *b); /* including port and scope */

/* Equal, or same family and port with a wildcard: two sockets can only have both by sharing. */
bool address_overlaps(const struct address *a, const struct address *b);

/* The canonical form of SA; false if it is not an IP address. */
bool address_ip(const struct sockaddr *sa, struct in6_addr *ip);

/* 127.0.0.0/8 or ::1, in canonical form. */
bool ip_is_loopback(const struct in6_addr *ip);

/* A loopback address, or not an IP address: reached from this host alone. */
bool address_is_local(const struct address *address);
