/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The wheel on a real event loop whose clock the test moves by hand. */

#include "config.h"

#include "echod/serving/wheel.h"

#include <event2/event.h>

#include "support/test.h"
#include "unit/fake_clock.h"

#define SLOT_MS 250
#define HORIZON_MS (1024 * SLOT_MS)
#define DAY_MS (24 * 3600 * INT64_C(1000))
#define VISITS_PER_TURN 4096

/* An owner's view: when it is due, and what the wheel did with it. */
struct thing {
	struct wheel_item item; /* first, so that one pointer is the other */
	int64_t due;
	int64_t ended; /* when it was visited and due; 0: not yet */
	unsigned visits;
	struct thing *takes_along; /* the visit that ends this one ends that one too */
	struct thing *brings;	   /* and files that one */
};

static struct event_base *base;
static struct wheel *wheel;
static struct thing things[3 * VISITS_PER_TURN];
static unsigned visits;

static void end(struct thing *thing, int64_t now)
{
	wheel_remove(wheel, &thing->item);
	thing->ended = now;
}

static int64_t visit(struct wheel_item *item, int64_t now, void *arg)
{
	struct thing *thing = (struct thing *)item;

	ck_assert_ptr_eq(arg, &visits);
	ck_assert_int_eq(now, fake_ms);
	ck_assert_int_eq(thing->ended, 0);
	visits++;
	thing->visits++;
	if (thing->due > now)
		return thing->due;
	end(thing, now);
	if (thing->takes_along != NULL)
		end(thing->takes_along, now);
	if (thing->brings != NULL)
		wheel_add(wheel, &thing->brings->item, thing->brings->due);
	return WHEEL_GONE;
}

static void set_up(void)
{
	visits = 0;
	base = event_base_new();
	ck_assert_ptr_nonnull(base);
	wheel = wheel_new(base, visit, &visits);
	ck_assert_ptr_nonnull(wheel);
}

static void tear_down(void)
{
	wheel_free(wheel);
	event_base_free(base);
	memset(things, 0, sizeof(things));
}

static void add(struct thing *thing, int64_t in_ms)
{
	thing->due = fake_ms + in_ms;
	wheel_add(wheel, &thing->item, thing->due);
}

static void turn(void)
{
	ck_assert_int_ge(event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
}

static void pass(int64_t ms, int64_t step)
{
	for (int64_t end_ms = fake_ms + ms; fake_ms < end_ms;) {
		fake_ms += step;
		turn();
	}
}

static bool timer_pending(void)
{
	return event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED) > 0;
}

/* Never early, and late by a slot at most, when the clock moved in steps of STEP. */
static void expect_punctual(size_t count, int64_t step)
{
	for (size_t i = 0; i < count; i++) {
		int64_t late = things[i].ended - things[i].due;

		ck_assert_msg(late >= 0 && late < SLOT_MS + step,
			      "number %zu was visited %jd ms after its deadline", i,
			      (intmax_t)late);
	}
}

TEST_CASE("wheel", set_up, tear_down);

TEST(visits_come_within_a_quarter_second_and_never_early)
{
	for (int i = 0; i < 1000; i++) {
		add(&things[i], i * 7);
		pass(i % 3, 1);
	}
	pass(8000, 1);
	expect_punctual(1000, 1);
	ck_assert_uint_eq(visits, 1000);
}

TEST(deadlines_around_the_horizon_are_kept)
{
	for (int i = 0; i < 400; i++)
		add(&things[i], HORIZON_MS - 1000 + i * 5);
	pass(HORIZON_MS + 2000, 20);
	expect_punctual(400, 20);
}

TEST(a_deadline_a_day_away_costs_a_look_every_four_minutes)
{
	add(&things[0], DAY_MS);
	pass(DAY_MS + 10 * SLOT_MS, 10 * SLOT_MS);
	expect_punctual(1, 10 * SLOT_MS);
	ck_assert_uint_le(visits, DAY_MS / HORIZON_MS + 2);
}

TEST(what_is_overdue_when_filed_is_visited_within_a_quarter_second)
{
	add(&things[0], -1);
	add(&things[1], -3600 * 1000);
	pass(600, 1);
	add(&things[2], -1);
	pass(SLOT_MS, 1);
	for (int i = 0; i < 3; i++)
		ck_assert_int_ne(things[i].ended, 0);
}

TEST(a_sooner_deadline_does_not_wait_for_a_later_one)
{
	add(&things[0], 200 * 1000);
	add(&things[1], 2000);
	add(&things[2], 20 * 1000);
	pass(201 * 1000, 10);
	expect_punctual(3, 10);
}

TEST(activity_since_filing_moves_the_deadline)
{
	add(&things[0], 1000);
	add(&things[1], 1000);
	pass(900, 10);
	things[0].due = fake_ms + 1000; /* as a message does: the wheel does not know */
	pass(2000, 10);
	expect_punctual(2, 10);
	ck_assert_uint_eq(things[0].visits, 2);
	ck_assert_uint_eq(things[1].visits, 1);
}

TEST(moving_takes_effect_both_ways)
{
	add(&things[0], 1000);
	add(&things[1], 100 * 1000);
	things[0].due += 50 * 1000;
	things[1].due -= 99 * 1000;
	wheel_move(wheel, &things[0].item, things[0].due);
	wheel_move(wheel, &things[1].item, things[1].due);
	pass(52 * 1000, 10);
	expect_punctual(2, 10);
	ck_assert_uint_eq(visits, 2);
}

TEST(a_crowd_is_shared_out_over_turns)
{
	for (size_t i = 0; i < ARRAY_SIZE(things); i++)
		add(&things[i], 1000);
	fake_ms += 1000 + SLOT_MS;
	for (unsigned i = 1; i <= 3; i++) {
		turn();
		ck_assert_uint_eq(visits, i * VISITS_PER_TURN);
	}
	turn();
	ck_assert(!timer_pending());
}

TEST(a_visit_may_end_others_and_file_new_ones)
{
	add(&things[0], 1000);
	add(&things[1], 1000);
	things[0].takes_along = &things[1];
	things[1].takes_along = &things[0];
	things[0].brings = &things[2];
	things[1].brings = &things[3];
	things[2].due = fake_ms + 3000;
	things[3].due = fake_ms + 3000;
	pass(2000, 10);
	ck_assert_uint_eq(visits, 1); /* whichever came first took the other along */
	pass(2000, 10);
	ck_assert_uint_eq(visits, 2);
	ck_assert(!timer_pending());
}

TEST(the_visit_of_the_last_one_may_file_the_next)
{
	things[0].brings = &things[1];
	for (int64_t late = 1; late <= 130; late += 8) {
		for (int64_t slots = 1; slots <= 65; slots += 2) {
			things[0].ended = things[1].ended = 0;
			add(&things[0], 1);
			fake_ms += late * SLOT_MS;
			things[1].due = fake_ms + slots * SLOT_MS;
			turn();
			pass((slots + 1) * SLOT_MS, SLOT_MS);
			ck_assert_int_ne(things[0].ended, 0);
			ck_assert_int_ne(things[1].ended, 0);
		}
	}
}

TEST(removed_ones_are_not_visited)
{
	for (int i = 0; i < 100; i++)
		add(&things[i], 1000 + i);
	for (int i = 0; i < 100; i += 2)
		wheel_remove(wheel, &things[i].item);
	pass(2000, 10);
	ck_assert_uint_eq(visits, 50);
	for (unsigned i = 0; i < 100; i++)
		ck_assert_uint_eq(things[i].visits, i % 2);
}

TEST(nothing_wakes_an_empty_wheel)
{
	ck_assert(!timer_pending());
	add(&things[0], 1000);
	ck_assert(timer_pending());
	wheel_remove(wheel, &things[0].item);
	pass(2000, SLOT_MS);
	ck_assert(!timer_pending());
	ck_assert_uint_eq(visits, 0);
}

TEST(punctual_after_any_quiet_time)
{
	static const int64_t quiet[] = {1, 249, 250, HORIZON_MS - 1, HORIZON_MS, DAY_MS + 17};

	for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
		fake_ms += quiet[i];
		add(&things[i], 1000);
		pass(2000, 10);
	}
	expect_punctual(ARRAY_SIZE(quiet), 10);
	ck_assert_uint_eq(visits, ARRAY_SIZE(quiet));
}

TEST(a_loop_that_was_kept_busy_catches_up)
{
	for (int i = 0; i < 1000; i++)
		add(&things[i], i * 400); /* beyond the horizon, too */
	fake_ms += 2 * HORIZON_MS;
	turn();
	turn();
	pass(SLOT_MS, SLOT_MS);
	ck_assert_uint_ge(visits, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_ne(things[i].ended, 0);
}

static void count_and_remove(struct wheel_item *item, void *arg)
{
	unsigned *left = arg;

	((struct thing *)item)->visits++;
	wheel_remove(wheel, item);
	--*left;
}

TEST(each_sees_all_and_may_remove_them)
{
	unsigned left = 500;

	for (int i = 0; i < 500; i++)
		add(&things[i], i * 900 % 7000); /* several to a slot */
	wheel_each(wheel, count_and_remove, &left);
	ck_assert_uint_eq(left, 0);
	wheel_each(wheel, count_and_remove, &left);
	ck_assert_uint_eq(left, 0);
	for (int i = 0; i < 500; i++)
		ck_assert_uint_eq(things[i].visits, 1);
}

static void postpone(struct wheel_item *item, void *arg)
{
	struct thing *thing = (struct thing *)item;

	thing->due = *(int64_t *)arg;
	wheel_move(wheel, item, thing->due);
}

TEST(each_may_move_what_it_sees)
{
	int64_t due = fake_ms + 8000;

	for (int i = 0; i < 500; i++)
		add(&things[i], i * 50);
	wheel_each(wheel, postpone, &due);
	pass(9000, 10);
	expect_punctual(500, 10);
}
