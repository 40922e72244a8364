/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A listener's address from the file or -l, and the one or two socket addresses it represents. A
 * plain value: nothing to free.
 */

#pragma once

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"

enum address_kind {
	ADDRESS_INET,	 /* TCP and UDP, see `protocol` */
	ADDRESS_UNIX,	 /* stream */
	ADDRESS_UNIXGRAM /* datagrams */
};

struct listen_address {
	enum address_kind kind;
	bool any;  /* written as *: a missing family is not an error */
	bool pair; /* `*` or `localhost`: IPv4 first, then IPv6 */
	size_t count;
	struct address parts[2];
	char zone[IF_NAMESIZE]; /* of a missing interface: cannot be opened; otherwise "" */
};

struct address_list {
	struct listen_address *items;
	size_t count;
};

/*
 * Parses *:PORT, :PORT, IPV4:PORT, [IPV6]:PORT, [fe80::1%eth0]:PORT, localhost:PORT, unix:/PATH or
 * unixgram:/PATH.
 */
int listen_address_parse(struct listen_address *address, const char *text,
			 struct reason *reason) WARN_UNUSED;

#define LISTEN_ADDRESS_TEXT_MAX (ADDRESS_TEXT_MAX + 16)

/* In a form that parses to the same address: "*:7", "localhost:7", "[::1]:7", "unix:/run/x". */
const char *listen_address_format(const struct listen_address *address,
				  char text[static LISTEN_ADDRESS_TEXT_MAX]);

/* True if both contain the same socket address, so that only one of them can be opened. */
bool listen_address_collides(const struct listen_address *a, const struct listen_address *b);
