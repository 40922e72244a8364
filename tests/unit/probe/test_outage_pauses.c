/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What we did ourselves, and is no part of an outage: replies that we dropped, time asleep. */

#include "config.h"

#include "probe/loss_runs.h"
#include "probe/outages.h"
#include "support/test.h"

#define FIRST 1000
#define INTERVAL 10
#define PAUSE 500
#define SLEEP 7000

static const struct finding intact = {.verdict = VERDICT_INTACT};

/*
 * In the order of sending: '.' answered, 'x' lost, 'o' lost by ourselves, with '|' a pause before
 * the next one, with 'z' a sleep, for which our clock stops.
 */
struct course {
	const char *fates;
	uint64_t count, lost, own, duration, shortest, longest, stopped, suspended, runs;
};

static const struct course courses[] = {
	{".xx.", 1, 2, 0, 20, 10, 30, 0, 0, 1},
	{".oo.", 0, 0, 0, 0, 0, 0, 0, 0, 0},
	{".xo.", 0, 0, 0, 0, 0, 0, 0, 0, 1},
	{".xox.", 1, 2, 1, 30, 20, 40, 0, 0, 1},
	{"oxxo.", 1, 2, 1, 30, 10, 0, 0, 0, 1},
	{".x|x.", 1, 2, 0, 20, 10, 530, PAUSE, 0, 1},
	{".xx|.", 1, 2, 0, 20, 10, 530, PAUSE, 0, 1},
	{".xx||.", 1, 2, 0, 20, 10, 1030, 2 * PAUSE, 0, 1},
	/* Before the first lost. */
	{".|xx.", 1, 2, 0, 20, 10, 530, 0, 0, 1},
	{".xzx.", 1, 2, 0, 20, 10, 30, 0, SLEEP, 1},
	/* One that does not end. */
	{".x|xx", 1, 3, 0, 20, 20, 0, PAUSE, 0, 1},
	{".x.x|x.", 1, 2, 0, 20, 10, 530, PAUSE, 0, 2},
	/* After the end of one nothing more is its. */
	{".xx.|o", 1, 2, 0, 20, 10, 30, 0, 0, 1},
};

static struct outages outages;
static struct loss_runs runs;
static struct flow flow;

static void follow(void)
{
	while (outages_follow(&outages, &flow, flow_next(&flow)) == OUTAGE_BEGAN)
		;
	loss_runs_follow(&runs, &flow, flow_next(&flow));
}

static void lose(uint64_t sequence, bool own)
{
	if (own) {
		outages_excuse(&outages, sequence);
		runs.excused = sequence;
	}
	flow_lose(&flow, sequence);
}

static void answer(uint64_t sequence, uint64_t now)
{
	uint64_t rtt;

	(void)flow_reply(&flow, sequence, &intact, 64, now, &rtt);
}

/* The time of the next. */
static uint64_t play(char fate, uint64_t now)
{
	struct outage_pause pause = {.before = flow_next(&flow)};
	uint64_t sequence;

	if (fate == '|' || fate == 'z') {
		pause.stopped = fate == '|' ? PAUSE : 0;
		pause.suspended = fate == 'z' ? SLEEP : 0;
		outages_pause(&outages, &pause);
		return now + pause.stopped;
	}
	sequence = flow_send(&flow, now);
	if (fate == '.')
		answer(sequence, now + 1);
	else
		lose(sequence, fate == 'o');
	follow();
	return now + INTERVAL;
}

TEST_EACH(what_we_did_ourselves_is_no_outage, ARRAY_SIZE(courses))
{
	const struct course *course = &courses[_i];
	const struct outage *outage = &outages.current;
	static struct books books;
	uint64_t now = FIRST;

	runs = (struct loss_runs){0};
	outages_init(&outages, 2);
	ck_assert_int_eq(flow_init(&flow, 1, 64, 32, &books), 0);
	for (const char *fate = course->fates; *fate != '\0'; fate++)
		now = play(*fate, now);
	ck_assert_uint_eq(outages_sum(&outages).count, course->count);
	ck_assert_uint_eq(outages_sum(&outages).total, course->duration);
	ck_assert_uint_eq(runs.count, course->runs);
	flow_clear(&flow);
	if (course->count == 0)
		return;
	ck_assert_uint_eq(outage->lost, course->lost);
	ck_assert_uint_eq(outage->own_losses, course->own);
	ck_assert_uint_eq(outage_duration(outage), course->duration);
	ck_assert_uint_eq(outage_shortest(outage), course->shortest);
	ck_assert_uint_eq(outage_longest(outage), course->longest);
	ck_assert_uint_eq(outage->stopped, course->stopped);
	ck_assert_uint_eq(outage->suspended, course->suspended);
	ck_assert_uint_eq(outage_began(outage), outage->begin - course->suspended);
	ck_assert_uint_eq(outages_sum(&outages).longest_begin, outage_began(outage));
}

/* More than there is room for, before a probe's fate is known. */
TEST(many_pauses_count_in_full)
{
	static struct books books;

	outages_init(&outages, 1);
	runs = (struct loss_runs){0};
	ck_assert_int_eq(flow_init(&flow, 1, 64, 64, &books), 0);
	for (uint64_t i = 0; i < 2 * OUTAGE_PAUSES; i++) {
		(void)flow_send(&flow, FIRST + i * (PAUSE + INTERVAL));
		outages_pause(&outages, &(const struct outage_pause){.before = flow_next(&flow),
								     .stopped = PAUSE,
								     .suspended = SLEEP});
	}
	(void)flow_send(&flow, FIRST + 2 * OUTAGE_PAUSES * (PAUSE + INTERVAL));
	for (uint64_t i = 0; i < OUTAGE_PAUSES; i++)
		flow_lose(&flow, flow_oldest(&flow));
	while (outages_follow(&outages, &flow, flow_oldest(&flow)) != OUTAGE_UNCHANGED)
		;
	ck_assert_uint_eq(outages.current.stopped, (OUTAGE_PAUSES - 1) * PAUSE);
	while (flow_waiting(&flow) > 1)
		flow_lose(&flow, flow_oldest(&flow));
	answer(flow_oldest(&flow), FIRST + 2 * OUTAGE_PAUSES * (PAUSE + INTERVAL) + 1);
	follow();
	ck_assert_uint_eq(outages.current.stopped, 2 * OUTAGE_PAUSES * PAUSE);
	ck_assert_uint_eq(outages.current.suspended, 2 * OUTAGE_PAUSES * SLEEP);
	ck_assert_uint_eq(outage_duration(&outages.current), 2 * OUTAGE_PAUSES * INTERVAL);
	flow_clear(&flow);
}
