/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A listener's address as it is written in the file or after -l, and the one or two socket
 * addresses it stands for. A plain value: nothing to free.
 */

#ifndef DAEMON_SETTINGS_LISTEN_ADDRESS_H
#define DAEMON_SETTINGS_LISTEN_ADDRESS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"

enum address_kind {
	ADDRESS_INET,	 /* tcp and udp, as `protocol` says */
	ADDRESS_UNIX,	 /* stream */
	ADDRESS_UNIXGRAM /* datagrams */
};

struct listen_address {
	enum address_kind kind;
	bool any;  /* written as * : a family that is absent is not an error */
	bool pair; /* `*` or `localhost`: IPv4 first, then IPv6 */
	size_t count;
	struct address parts[2];
	char zone[IF_NAMESIZE]; /* of an interface that is not there: cannot be opened; else "" */
};

struct address_list {
	struct listen_address *items;
	size_t count;
};

/*
 * Takes *:PORT, :PORT, IPV4:PORT, [IPV6]:PORT, [fe80::1%eth0]:PORT, localhost:PORT, unix:/PATH or
 * unixgram:/PATH.
 */
int listen_address_parse(struct listen_address *address, const char *text,
			 struct reason *reason) WARN_UNUSED;

#define LISTEN_ADDRESS_TEXT_MAX (ADDRESS_TEXT_MAX + 16)

/* In the form that is read back as the same: "*:7", "localhost:7", "[::1]:7", "unix:/run/x". */
const char *listen_address_format(const struct listen_address *address,
				  char text[static LISTEN_ADDRESS_TEXT_MAX]);

/* One and the same socket address stands in both: they cannot both be listened on. */
bool listen_address_collides(const struct listen_address *a, const struct listen_address *b);

#endif
