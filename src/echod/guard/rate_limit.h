/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How many datagrams a second one source gets answers to (rule 4 of the guard). One table of fixed
 * size for all workers, without a lock and without an allocation per source; what an entry holds
 * drains with time, and the least used of a full bucket makes room, at rates below 32 a second only
 * once it is drained.
 */

#ifndef ECHOD_GUARD_RATE_LIMIT_H
#define ECHOD_GUARD_RATE_LIMIT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct rate_limit;

/* NULL when there is no memory. */
struct rate_limit *rate_limit_new(void) WARN_UNUSED;
void rate_limit_free(struct rate_limit *limit);

struct rate_grant {
	unsigned allowed; /* of those asked for, the first so many may be answered */
	bool log_due;	  /* some were refused, and a line about this source may be written now */
	bool crowded_out; /* all were: more sources came than can be held to a rate this low */
};

/*
 * COUNT datagrams of one source came at NOW (CLOCK_MONOTONIC, nanoseconds) to a listener whose
 * udp_rate is RATE, not 0. TAG is source_tag()'s; RANDOM_STATE belongs to the calling worker and is
 * not 0. IPv4 and link-local IPv6 sources are held by address, other IPv6 by /64.
 */
struct rate_grant rate_limit_take(struct rate_limit *limit, uint64_t tag, const struct in6_addr *ip,
				  uint64_t rate, unsigned count, int64_t now,
				  uint64_t *random_state);

#endif
