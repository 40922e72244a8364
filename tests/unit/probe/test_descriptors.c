/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The limit on open files is raised as far as it is needed and allowed. */

#include "config.h"

#include <sys/resource.h>

#include "probe/descriptors.h"
#include "support/test.h"

static struct reason reason;

static void limit_to(rlim_t soft, rlim_t hard)
{
	const struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};

	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void expect(rlim_t soft)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	ck_assert_uint_eq(limit.rlim_cur, soft);
}

TEST(it_is_raised_to_what_is_needed)
{
	limit_to(100, 200);
	ck_assert_int_eq(descriptors_allow(80, "-c", &reason), 0);
	expect(112);
	ck_assert_int_eq(descriptors_allow(168, "-c", &reason), 0);
	expect(200);
}

TEST(what_is_enough_stays)
{
	limit_to(150, 200);
	ck_assert_int_eq(descriptors_allow(118, "-c", &reason), 0);
	expect(150);
}

TEST(more_than_is_allowed_is_refused)
{
	limit_to(100, 200);
	ck_assert_int_eq(descriptors_allow(169, "-c", &reason), -1);
	ck_assert_str_eq(reason.text, "169 sockets need 201 open files, but the limit is 200: "
				      "raise it (ulimit -n) or use fewer (-c)");
	expect(100);
}
