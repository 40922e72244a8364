/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Rounds of very many workers, which are played: linked in front of worker.c. */

#include "config.h"

#include "echod/control/rounds.h"

#include "echod/worker/worker.h"
#include "support/test.h"

#define WORKERS 1024

/* Stand for workers; what they have answered is found by their place. */
static char places[WORKERS];
static struct worker *workers[WORKERS];
static bool answered[WORKERS], ended[WORKERS];
static unsigned looks;

bool __wrap_worker_answered(const struct worker *worker);
bool __wrap_worker_ended(const struct worker *worker);
void __wrap_worker_ask(struct worker *worker);

static size_t place_of(const struct worker *worker)
{
	return (size_t)((const char *)worker - places);
}

bool __wrap_worker_answered(const struct worker *worker)
{
	looks++;
	return answered[place_of(worker)];
}

bool __wrap_worker_ended(const struct worker *worker)
{
	return ended[place_of(worker)];
}

void __wrap_worker_ask(struct worker *worker)
{
	answered[place_of(worker)] = false;
}

static struct rounds rounds;
static unsigned calls;

static void count_call(void *arg UNUSED)
{
	calls++;
}

static void ask_again(void *arg)
{
	rounds_ask(arg, count_call, NULL);
}

static void set_up(void)
{
	for (size_t i = 0; i < WORKERS; i++)
		workers[i] = (void *)&places[i];
	rounds = (struct rounds){.workers = workers, .count = WORKERS};
	looks = 0;
	calls = 0;
}

/* Worker number INDEX when they answer first to last, last to first, or from the middle. */
static size_t nth(int order, size_t index)
{
	size_t orders[] = {index, WORKERS - 1 - index, (index + WORKERS / 2) % WORKERS};

	return orders[order];
}

TEST_CASE("control", set_up);

TEST_EACH(a_question_costs_a_look_at_each_worker_and_one_for_each_answer, 3)
{
	for (int question = 0; question < 2; question++) {
		looks = 0;
		rounds_ask(&rounds, count_call, NULL);
		for (size_t i = 0; i < WORKERS; i++) {
			ck_assert(!rounds_over(&rounds));
			answered[nth(_i, i)] = true;
		}
		ck_assert(rounds_over(&rounds));
		ck_assert(rounds_over(&rounds));
		ck_assert_uint_le(looks, 2 * WORKERS + 1);
	}
}

TEST(a_worker_that_has_ended_is_no_longer_waited_for)
{
	rounds_ask(&rounds, count_call, NULL);
	for (size_t i = 0; i < WORKERS; i++)
		answered[i] = i % 2 == 0;
	ck_assert(!rounds_over(&rounds));
	for (size_t i = 1; i < WORKERS; i += 2)
		ended[i] = true;
	ck_assert(rounds_over(&rounds));
}

TEST(each_that_asks_is_called_once_when_its_round_is_over)
{
	rounds_ask(&rounds, ask_again, &rounds);
	rounds_ask(&rounds, count_call, NULL);
	rounds_ask(&rounds, count_call, NULL);
	rounds_ask(&rounds, count_call, &calls);
	rounds_call_waiting(&rounds);
	ck_assert_uint_eq(calls, 2);
	ck_assert(!rounds_over(&rounds));
	rounds_call_waiting(&rounds);
	ck_assert_uint_eq(calls, 3);
	rounds_call_waiting(&rounds);
	ck_assert_uint_eq(calls, 3);
}
