/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The fixed schedule: no drift, no message twice, none left out, whatever the rate and the hour. */

#include "config.h"

#include "base/clock.h"
#include "probe/receive.h"
#include "probe/schedule.h"
#include "support/test.h"

static struct schedule of(uint64_t rate, uint64_t index, uint64_t count)
{
	return (struct schedule){.start = 5 * NS_PER_S,
				 .end = UINT64_MAX,
				 .rate = rate,
				 .index = index,
				 .count = count};
}

TEST(a_second_holds_exactly_the_rate)
{
	const uint64_t rates[] = {1, 3, 7, 1000, 9999, 1000003, 100000000};

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct schedule schedule = of(rates[i], 0, 1);
		const uint64_t day = 86400 * NS_PER_S;

		ck_assert_uint_eq(schedule_count(&schedule, schedule.start + NS_PER_S - 1),
				  rates[i]);
		ck_assert_uint_eq(schedule_count(&schedule, schedule.start + day - 1),
				  86400 * rates[i]);
		ck_assert_uint_eq(schedule_due(&schedule, 86400 * rates[i]), schedule.start + day);
	}
}

TEST(a_message_is_counted_from_the_moment_it_is_due)
{
	const uint64_t rates[] = {1, 3, 7, 999, 1000003, 33333333};

	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		struct schedule schedule = of(rates[i], 0, 1);

		for (uint64_t n = 0; n < 3 * rates[i] && n < 5000; n++) {
			uint64_t due = schedule_due(&schedule, n);

			ck_assert_uint_eq(schedule_count(&schedule, due), n + 1);
			ck_assert_uint_eq(schedule_count(&schedule, due - 1), n);
		}
	}
}

TEST(flows_share_the_messages_without_gap_or_overlap)
{
	struct schedule whole = of(12345, 0, 1);

	for (uint64_t ms = 0; ms < 500; ms += 7) {
		uint64_t now = whole.start + ms * NS_PER_MS;
		uint64_t sum = 0;

		for (uint64_t index = 0; index < 13; index++) {
			struct schedule part = of(12345, index, 13);

			sum += schedule_count(&part, now);
		}
		ck_assert_uint_eq(sum, schedule_count(&whole, now));
	}
	for (uint64_t n = 0; n < 100; n++) {
		struct schedule part = of(12345, n % 13, 13);

		ck_assert_uint_eq(schedule_due(&part, n / 13), schedule_due(&whole, n));
	}
}

TEST(nothing_is_due_before_the_start_or_after_the_end)
{
	struct schedule schedule = of(100, 0, 1);

	schedule.end = schedule.start + NS_PER_S;
	ck_assert_uint_eq(schedule_count(&schedule, 0), 0);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.start - 1), 0);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.start), 1);
	ck_assert_uint_eq(schedule_count(&schedule, schedule.end), 100);
	ck_assert_uint_eq(schedule_count(&schedule, UINT64_MAX), 100);
}

TEST(a_kernel_stamp_is_converted_or_refused)
{
	const uint64_t real = 1000 * NS_PER_S;
	const uint64_t now = 50 * NS_PER_S;

	const uint64_t offset = real - now;
	const uint64_t from = now - 10 * NS_PER_S;

	ck_assert_uint_eq(wall_clock_convert(real - 3000, offset, from, now), now - 3000);
	ck_assert_uint_eq(wall_clock_convert(real, offset, from, now), now);
	ck_assert_uint_eq(wall_clock_convert(real - 10 * NS_PER_S, offset, from, now), from);
	ck_assert_uint_eq(wall_clock_convert(real + 1, offset, from, now), 0);
	ck_assert_uint_eq(wall_clock_convert(real - 10 * NS_PER_S - 1, offset, from, now), 0);
}
