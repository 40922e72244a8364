/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* For tests of the rate limiter, in simulated time: a new one for each test. */

#pragma once

#include "echod/guard/rate_limit.h"
#include "unit/sources.h"

#define SECOND INT64_C(1000000000)
#define MILLISECOND INT64_C(1000000)
#define START (1000 * SECOND)
#define TAG 7

static struct rate_limit *limit;
static uint64_t random_state;

static inline void set_up(void)
{
	limit = rate_limit_new();
	ck_assert_ptr_nonnull(limit);
	random_state = 0x9e3779b97f4a7c15;
}

static inline void tear_down(void)
{
	rate_limit_free(limit);
}

static inline struct rate_grant take_from(const struct in6_addr *source, uint64_t rate,
					  unsigned count, int64_t now)
{
	return rate_limit_take(limit, TAG, source, rate, count, now, &random_state);
}
