/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Outages from the fates of probes, in whatever order these become known. */

#include "config.h"

#include <math.h>

#include "probe/outages.h"
#include "support/test.h"

#define FIRST 1000
#define INTERVAL 10

struct course {
	const char *fates; /* in the order of sending: '.' answered, 'x' lost */
	uint64_t least;
	const char *events; /* where one begins ('B') or ends ('E') */
	uint64_t count, total, longest, longest_begin;
	double up_percent;
};

static const struct course courses[] = {
	{".....", 2, ".....", 0, 0, 0, 0, 100},
	{".x.x.", 2, ".....", 0, 0, 0, 0, 100},
	{"..xx.", 2, "...BE", 1, 20, 20, 1020, 50},
	{".xxx..xx...", 2, "..B.E..BE..", 2, 50, 30, 1010, 50},
	{".xx..xxx...", 2, "..BE..B.E..", 2, 50, 30, 1050, 50},
	{".xx..xx....", 2, "..BE..BE...", 2, 40, 20, 1010, 60},
	{".xx.xx.", 3, ".......", 0, 0, 0, 0, 100},
	{".xxx.", 3, "...BE", 1, 30, 30, 1010, 25},
	{".x.x.", 1, ".BEBE", 2, 20, 10, 1010, 50},
	/* The first probe may be lost, and the last. */
	{"xx...", 2, ".BE..", 1, 20, 20, 1000, 50},
	{"...xx", 2, "....B", 1, 10, 10, 1030, 75},
	{"...xxx", 2, "....B.", 1, 20, 20, 1030, 60},
	{"....x", 2, ".....", 0, 0, 0, 0, 100},
	{"xxxxx", 2, ".B...", 1, 40, 40, 1000, 0},
	{"x", 1, "B", 1, 0, 0, 1000, (double)NAN},
	{".", 2, ".", 0, 0, 0, 0, (double)NAN},
	{"", 2, "", 0, 0, 0, 0, (double)NAN},
};

static char event_letter(enum outage_event event)
{
	static const char letters[] = {
		[OUTAGE_UNCHANGED] = '.', [OUTAGE_BEGAN] = 'B', [OUTAGE_ENDED] = 'E'};

	return letters[event];
}

static void enter_all(struct outages *outages, const char *fates, char *events)
{
	for (size_t i = 0; fates[i] != '\0'; i++)
		events[i] =
			event_letter(outages_enter(outages, FIRST + i * INTERVAL, fates[i] == '.'));
}

TEST_EACH(consecutive_losses_are_outages, ARRAY_SIZE(courses))
{
	const struct course *course = &courses[_i];
	struct outage_sums sums;
	struct outages outages;
	char events[32] = "";
	double up;

	outages_init(&outages, course->least);
	enter_all(&outages, course->fates, events);
	sums = outages_sum(&outages);
	up = outages_up_percent(&outages);
	ck_assert_str_eq(events, course->events);
	ck_assert_uint_eq(sums.count, course->count);
	ck_assert_uint_eq(sums.total, course->total);
	ck_assert_uint_eq(sums.longest, course->longest);
	ck_assert_uint_eq(sums.longest_begin, course->longest_begin);
	ck_assert(isnan(course->up_percent) ? isnan(up) : fabs(up - course->up_percent) < 1e-9);
}

TEST(two_probes_have_a_time_between_them)
{
	struct outages outages;

	outages_init(&outages, 1);
	(void)outages_enter(&outages, FIRST, true);
	(void)outages_enter(&outages, FIRST + 1, true);
	ck_assert_double_eq(outages_up_percent(&outages), 100);
}

struct bounds {
	const char *fates;
	uint64_t begin, end, lost, duration, shortest, longest;
};

static const struct bounds bounds[] = {
	{"..xxx.", 1020, 1050, 3, 30, 20, 40},
	{"xx.", 1000, 1020, 2, 20, 10, 0}, /* none before it was answered, */
	{".xxx", 1010, 0, 3, 20, 20, 0},   /* none after it, */
	{"xxxx", 1000, 0, 4, 30, 30, 0},   /* none at all */
	{".xxx.xx.", 1050, 1070, 2, 20, 10, 30},
	{".x.xx.", 1030, 1050, 2, 20, 10, 30},
};

TEST_EACH(an_outage_has_bounds, ARRAY_SIZE(bounds))
{
	const struct bounds *expected = &bounds[_i];
	const struct outage *outage;
	struct outages outages;
	char events[32];

	outages_init(&outages, 2);
	enter_all(&outages, expected->fates, events);
	outage = &outages.current;
	ck_assert(outages_is_down(&outages) == (expected->end == 0));
	ck_assert_uint_eq(outage->begin, expected->begin);
	ck_assert_uint_eq(outage->end, expected->end);
	ck_assert_uint_eq(outage->lost, expected->lost);
	ck_assert_uint_eq(outage_duration(outage), expected->duration);
	ck_assert_uint_eq(outage_shortest(outage), expected->shortest);
	ck_assert_uint_eq(outage_longest(outage), expected->longest);
}

#define SIZE 64
#define TIMEOUT 1000

static const struct finding intact = {.verdict = VERDICT_INTACT};
static struct books books;
static struct flow flow;
static struct outages outages;

/* Eight probes, the first of them as sequence 1. */
static void send_some(void)
{
	books_clear(&books);
	ck_assert_int_eq(flow_init(&flow, 1, SIZE, 16, &books), 0);
	flow.timeout = TIMEOUT;
	outages_init(&outages, 2);
	for (uint64_t i = 0; i < 8; i++)
		(void)flow_send(&flow, FIRST + i * INTERVAL);
}

static void end(void)
{
	flow_clear(&flow);
}

static void answer(uint64_t sequence, uint64_t now)
{
	uint64_t rtt;

	(void)flow_reply(&flow, sequence, &intact, SIZE, now, &rtt);
}

static enum outage_event follow(void)
{
	return outages_follow(&outages, &flow, flow_oldest(&flow));
}

TEST_CASE("flow", send_some, end);

/* Probe 5 is answered at once, 2 to 4 are given up a timeout later. */
TEST(an_outage_ends_when_what_was_lost_before_is_given_up)
{
	answer(1, 1010);
	answer(5, 1045);
	answer(6, 1055);
	ck_assert_int_eq(follow(), OUTAGE_UNCHANGED);
	flow_expire(&flow, 1020 + TIMEOUT);
	ck_assert_int_eq(follow(), OUTAGE_BEGAN);
	ck_assert_int_eq(follow(), OUTAGE_UNCHANGED);
	ck_assert_uint_eq(outages.current.begin, 1010);
	flow_expire(&flow, 1030 + TIMEOUT);
	ck_assert_int_eq(follow(), OUTAGE_ENDED);
	ck_assert_uint_eq(outages.current.lost, 3);
	ck_assert_uint_eq(outages.current.end, 1040);
	ck_assert_int_eq(follow(), OUTAGE_UNCHANGED);
	ck_assert_uint_eq(outages.last, 1050);
}

/* By an ICMP error, or because we were too slow to give it up. */
TEST(a_probe_that_was_lost_before_its_turn_stays_lost)
{
	flow_lose(&flow, 3);
	answer(3, 1500);	       /* late */
	answer(2, 1010 + TIMEOUT + 1); /* not given up yet, but too late */
	answer(4, 1040);
	answer(1, 1050);
	ck_assert_uint_eq(books.late, 2);
	ck_assert_int_eq(follow(), OUTAGE_BEGAN);
	ck_assert_int_eq(follow(), OUTAGE_ENDED);
	ck_assert_uint_eq(outages.current.lost, 2);
}

TEST(an_outage_may_begin_with_the_first_probe)
{
	flow_lose(&flow, 1);
	flow_lose(&flow, 2);
	answer(3, 1030);
	ck_assert_int_eq(follow(), OUTAGE_BEGAN);
	ck_assert_uint_eq(outages.current.lost, 2);
}

/* They were sent, but nobody waits for them any more. */
TEST(what_still_waits_at_the_end_is_passed_over)
{
	answer(1, 1010);
	flow_lose(&flow, 2);
	flow_lose(&flow, 4);
	ck_assert_int_eq(outages_follow(&outages, &flow, flow_next(&flow)), OUTAGE_BEGAN);
	ck_assert_int_eq(outages_follow(&outages, &flow, flow_next(&flow)), OUTAGE_UNCHANGED);
	ck_assert_uint_eq(outages.last, 1030);
	ck_assert(outages_is_down(&outages));
}
