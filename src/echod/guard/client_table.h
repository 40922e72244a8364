/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The number of TCP clients, in total and for each listener and address. Shared by the workers;
 * used when a connection opens and closes, never for a message. Owns one small node for each
 * address with a connection.
 */

#pragma once

#include <netinet/in.h>
#include <stdint.h>

#include "base/compiler.h"

struct client_table;

enum admission {
	ADMITTED,
	REFUSED_DENIED,	  /* by a list, which the table does not know */
	REFUSED_NO_PROXY, /* likewise */
	REFUSED_MAX_CLIENTS,
	REFUSED_PER_IP,
	REFUSED_NO_MEMORY
};

/* NULL: out of memory. */
struct client_table *client_table_new(void) WARN_UNUSED;
void client_table_free(struct client_table *table);

/* The limit on the total; may change at any time. */
void client_table_set_limit(struct client_table *table, uint64_t max_clients);

/* Counts a client in the total: ADMITTED or REFUSED_MAX_CLIENTS. An ADMITTED one must leave. */
enum admission client_table_enter(struct client_table *table) WARN_UNUSED;
void client_table_leave(struct client_table *table);

/*
 * Counts it by its source as well, or returns why it is refused. IPv4 and link-local IPv6 count by
 * address, other IPv6 by /64; TAG comes from scoped_tag(). An ADMITTED client must leave with the
 * same tag and address.
 */
enum admission client_table_enter_source(struct client_table *table, uint64_t tag,
					 const struct in6_addr *ip,
					 uint64_t max_per_ip) WARN_UNUSED;
void client_table_leave_source(struct client_table *table, uint64_t tag, const struct in6_addr *ip);

uint64_t client_table_count(const struct client_table *table);
uint64_t client_table_limit(const struct client_table *table);
