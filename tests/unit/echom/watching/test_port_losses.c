/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Which source ports lose more than the others, of late. */

#include "config.h"

#include "echom/config/words.h"
#include "echom/watching/port_losses.h"
#include "support/test.h"

#define COUNT 8

static struct port_losses *losses;
static uint64_t now;

static void set_up(void)
{
	now = 1000 * NS_PER_S;
	losses = port_losses_new(COUNT, now);
	ck_assert_ptr_nonnull(losses);
}

static void tear_down(void)
{
	free(losses);
}

TEST_CASE("port_losses", set_up, tear_down);

/* ROUNDS probes of each port; PORT loses each one. */
static void probe(unsigned rounds, size_t port)
{
	for (unsigned i = 0; i < rounds; i++) {
		for (size_t at = 0; at < COUNT; at++)
			port_losses_enter(losses, at, at == port, now);
	}
}

TEST(without_losses_none_is_lossy)
{
	ck_assert_uint_eq(port_losses_lossy(losses), 0);
	probe(100, COUNT);
	ck_assert_uint_eq(port_losses_lossy(losses), 0);
}

TEST(one_that_loses_more_is_found)
{
	probe(100, COUNT);
	probe(2, 5);
	ck_assert_uint_eq(port_losses_lossy(losses), 0); /* too little to tell */
	probe(28, 5);
	ck_assert_uint_eq(port_losses_lossy(losses), 1);
	probe(30, 2);
	ck_assert_uint_eq(port_losses_lossy(losses), 2);
}

TEST(what_all_of_them_lose_is_no_ones)
{
	for (size_t port = 0; port < COUNT; port++)
		probe(20, port);
	ck_assert_uint_eq(port_losses_lossy(losses), 0);
}

TEST(two_periods_later_it_is_forgotten)
{
	probe(100, 5);
	now += PORT_LOSSES_PERIOD;
	probe(100, COUNT);
	ck_assert_uint_eq(port_losses_lossy(losses), 1);
	now += PORT_LOSSES_PERIOD - 1;
	probe(100, COUNT);
	ck_assert_uint_eq(port_losses_lossy(losses), 1);
	now += 1;
	probe(1, COUNT);
	ck_assert_uint_eq(port_losses_lossy(losses), 0);
}

TEST(after_a_long_stop_nothing_is_left)
{
	probe(100, 5);
	now += 100 * PORT_LOSSES_PERIOD;
	probe(1, COUNT);
	ck_assert_uint_eq(port_losses_lossy(losses), 0);
	ck_assert_uint_eq(losses->began, now);
	probe(100, 3);
	ck_assert_uint_eq(port_losses_lossy(losses), 1);
}

TEST(there_may_be_as_many_as_a_target_has)
{
	free(losses);
	losses = port_losses_new(WATCH_FLOWS_MAX, now);
	for (unsigned i = 0; i < 100 * WATCH_FLOWS_MAX; i++)
		port_losses_enter(losses, i % WATCH_FLOWS_MAX, i % WATCH_FLOWS_MAX == 63, now);
	ck_assert_uint_eq(port_losses_lossy(losses), 1);
}
