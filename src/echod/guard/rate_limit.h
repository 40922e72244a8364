/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Limits the replies a second to each source (rule 4 of the guard). One table of fixed size for all
 * workers, without locks or allocations; entries drain with time, and a new source replaces the
 * least used entry of its set, at rates below 32 a second only if that has drained.
 */

#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct rate_limit;

/* NULL: out of memory. */
struct rate_limit *rate_limit_new(void) WARN_UNUSED;
void rate_limit_free(struct rate_limit *limit);

struct rate_grant {
	unsigned allowed; /* number of datagrams, from the first, that may get a reply */
	bool log_due;	  /* some were refused, and a line about this source may be logged */
	bool crowded_out; /* all were refused: too many sources for a rate this low */
};

/*
 * Takes COUNT datagrams from one source at NOW (CLOCK_MONOTONIC, nanoseconds), to a listener whose
 * udp_rate is RATE, not 0. TAG comes from source_tag(); RANDOM_STATE belongs to the calling worker
 * and is not 0. IPv4 and link-local IPv6 sources count by address, other IPv6 by /64.
 */
struct rate_grant rate_limit_take(struct rate_limit *limit, uint64_t tag, const struct in6_addr *ip,
				  uint64_t rate, unsigned count, int64_t now,
				  uint64_t *random_state);
