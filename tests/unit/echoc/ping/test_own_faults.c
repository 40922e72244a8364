/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Which losses a ping takes upon itself. The clock that goes on during sleep is the test's. */

#include "config.h"

#include "echoc/ping/own_faults.h"

#include "base/clock.h"
#include "support/test.h"
#include "unit/kernel_clock.h"

static uint64_t asleep;

int clock_gettime(clockid_t clock, struct timespec *now)
{
	int result = kernel_clock(clock == CLOCK_BOOTTIME ? CLOCK_MONOTONIC : clock, now);

	if (clock == CLOCK_BOOTTIME)
		now->tv_sec += (time_t)asleep;
	return result;
}

static struct own_faults faults;

static void start(void)
{
	asleep = 1000; /* before this run */
	own_faults_start(&faults);
}

TEST_CASE("own", start);

TEST(a_loss_without_a_fault_of_ours_is_the_paths)
{
	ck_assert_uint_eq(own_faults_sleep(&faults, 5), 0);
	ck_assert_uint_eq(own_faults_drops(&faults, 0, 100), 0);
	ck_assert_ptr_null(own_faults_explain(&faults, 4, 50));
}

TEST(each_drop_explains_one_loss)
{
	ck_assert_uint_eq(own_faults_drops(&faults, 2, 100), 2);
	ck_assert_uint_eq(own_faults_drops(&faults, 2, 110), 0);
	ck_assert_str_eq(own_faults_explain(&faults, 1, 50), "dropped by our own socket");
	ck_assert_ptr_nonnull(own_faults_explain(&faults, 2, 60));
	ck_assert_ptr_null(own_faults_explain(&faults, 3, 70));
}

/* Its reply cannot be one of those. */
TEST(a_drop_does_not_explain_a_probe_that_was_sent_later)
{
	ck_assert_uint_eq(own_faults_drops(&faults, 2, 100), 2);
	ck_assert_ptr_null(own_faults_explain(&faults, 1, 101));
	ck_assert_ptr_nonnull(own_faults_explain(&faults, 2, 100));
}

TEST(the_count_of_drops_may_wrap)
{
	ck_assert_uint_eq(own_faults_drops(&faults, UINT32_MAX, 100), UINT32_MAX);
	ck_assert_uint_eq(own_faults_drops(&faults, 1, 110), 2);
}

/* The replies came while nobody was at home. */
TEST(what_was_on_its_way_during_sleep_is_explained)
{
	uint64_t slept;

	asleep += 7200;
	slept = own_faults_sleep(&faults, 5);
	ck_assert_uint_gt(slept, 7199 * NS_PER_S);
	ck_assert_uint_lt(slept, 7201 * NS_PER_S);
	ck_assert_uint_eq(own_faults_sleep(&faults, 6), 0);
	ck_assert_str_eq(own_faults_explain(&faults, 4, 50), "this computer was asleep");
	ck_assert_ptr_null(own_faults_explain(&faults, 5, 60));
}
