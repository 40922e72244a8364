/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How many TCP clients there are, in all and for each listener and address. Shared by the workers;
 * touched when a connection comes and goes, never by a message. Owns one small node per address
 * that has a live connection.
 */

#ifndef ECHOD_GUARD_CLIENT_TABLE_H
#define ECHOD_GUARD_CLIENT_TABLE_H

#include <netinet/in.h>
#include <stdint.h>

#include "base/compiler.h"

struct client_table;

enum admission { ADMITTED, REFUSED_MAX_CLIENTS, REFUSED_PER_IP, REFUSED_NO_MEMORY };

/* NULL when there is no memory. */
struct client_table *client_table_new(void) WARN_UNUSED;
void client_table_free(struct client_table *table);

/* The limit on all clients together; may change at any time. */
void client_table_set_limit(struct client_table *table, uint64_t max_clients);

/*
 * Counts a client in, or says why not. IP is NULL for unix sockets, which count in the total only.
 * IPv4 and link-local IPv6 count by address, other IPv6 by /64; TAG is source_tag()'s. What was
 * ADMITTED must leave with the same tag and address.
 */
enum admission client_table_enter(struct client_table *table, uint64_t tag,
				  const struct in6_addr *ip, uint64_t max_per_ip) WARN_UNUSED;
void client_table_leave(struct client_table *table, uint64_t tag, const struct in6_addr *ip);

uint64_t client_table_count(const struct client_table *table);
uint64_t client_table_limit(const struct client_table *table);

#endif
