/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The search for the largest size that passes, on paths that are one number or two. */

#include "config.h"

#include "echoc/mtu/search.h"
#include "support/test.h"

#define LEAST 60
#define LIMIT 9000
#define TRIES_MAX 40

struct path {
	size_t largest; /* that passes */
	size_t told;	/* the MTU that a router tells for all above; 0: black hole */
};

static const struct path paths[] = {
	{LIMIT, 0},   {LIMIT - 1, 0}, {LIMIT - 1, LIMIT - 1}, {LEAST, 0}, {LEAST, LEAST},
	{1420, 1420}, {1420, 0},      {1500, 1500},	      {61, 61},	  {5000, 0},
	{1420, 1480}, /* a black hole behind the router */
	{1420, 1300}, /* it tells less than what passes */
};

static struct search search;

/* How many sizes were tried. */
static unsigned run(const struct path *path)
{
	unsigned tries = 0;
	size_t size;

	search_begin(&search, LEAST, LIMIT);
	while ((size = search_next(&search)) != 0) {
		ck_assert_uint_gt(size, search.passed);
		ck_assert_uint_le(size, LIMIT);
		ck_assert_uint_lt(++tries, TRIES_MAX);
		if (size <= path->largest)
			search_pass(&search, size);
		else
			search_fail(&search, size, path->told > 0 && size > path->told,
				    size > path->told ? path->told : 0);
	}
	return tries;
}

TEST_EACH(the_largest_is_found_to_the_byte, ARRAY_SIZE(paths))
{
	unsigned tries = run(&paths[_i]);

	ck_assert_uint_eq(search.passed, paths[_i].largest);
	ck_assert_uint_le(tries, 17);
	if (paths[_i].largest < LIMIT)
		ck_assert_int_eq(search_is_told(&search),
				 paths[_i].told > 0 && paths[_i].told <= paths[_i].largest);
}

TEST(what_is_told_takes_three_tries)
{
	ck_assert_uint_eq(run(&(const struct path){1420, 1420}), 3);
}

/* The router limits its errors: it told the MTU, but not again for the byte above. */
TEST(one_error_is_enough)
{
	search_begin(&search, LEAST, 1500);
	search_fail(&search, 1500, true, 1420);
	ck_assert_uint_eq(search_next(&search), 1420);
	search_pass(&search, 1420);
	ck_assert_uint_eq(search_next(&search), 1421);
	search_fail(&search, 1421, false, 0);
	ck_assert(search_is_told(&search));
}

/* A router of 1989 does not tell the MTU. */
TEST(an_error_without_an_mtu_is_one)
{
	size_t size;

	search_begin(&search, LEAST, 1500);
	while ((size = search_next(&search)) != 0) {
		if (size <= 1006)
			search_pass(&search, size);
		else
			search_fail(&search, size, true, 0);
	}
	ck_assert_uint_eq(search.passed, 1006);
	ck_assert(search_is_told(&search));
}

/* 1420 was lost three times by chance: the second try of the byte above the result finds it. */
TEST(a_size_lost_by_chance_is_tried_again)
{
	bool by_chance = true;
	size_t size;

	search_begin(&search, LEAST, 1500);
	while ((size = search_next(&search)) != 0) {
		if (size > 1200 && by_chance)
			search_fail(&search, size, false, 0);
		else if (size <= 1420)
			search_pass(&search, size);
		else
			search_fail(&search, size, false, 0);
		by_chance = search.failed != search.passed + 1 && by_chance;
	}
	ck_assert_uint_eq(search.passed, 1420);
}

TEST(a_late_reply_counts)
{
	search_begin(&search, LEAST, 1500);
	search_fail(&search, 1500, false, 0);
	search_fail(&search, 780, false, 0);
	search_pass(&search, 1500);
	ck_assert_uint_eq(search_next(&search), 0);
	ck_assert_uint_eq(search.passed, 1500);
	search_pass(&search, 700);
	ck_assert_uint_eq(search.passed, 1500);
}
