/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The control thread beside very many workers, which are played: linked in front of worker.c. */

#include "config.h"

#include "echod/control/state.h"

#include "echod/worker/worker.h"
#include "unit/unit.h"

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

static struct server server = {.workers = workers, .worker_count = WORKERS};

static void set_up(void)
{
	for (size_t i = 0; i < WORKERS; i++)
		workers[i] = (void *)&places[i];
	looks = 0;
}

/* Worker number INDEX when they answer first to last, last to first, or from the middle. */
static size_t nth(int order, size_t index)
{
	size_t orders[] = {index, WORKERS - 1 - index, (index + WORKERS / 2) % WORKERS};

	return orders[order];
}

START_TEST(a_question_costs_a_look_at_each_worker_and_one_for_each_answer)
{
	for (int question = 0; question < 2; question++) {
		looks = 0;
		control_ask_all(&server);
		for (size_t i = 0; i < WORKERS; i++) {
			ck_assert(!control_all_answered(&server));
			answered[nth(_i, i)] = true;
		}
		ck_assert(control_all_answered(&server));
		ck_assert(control_all_answered(&server));
		ck_assert_uint_le(looks, 2 * WORKERS + 1);
	}
}
END_TEST

START_TEST(who_has_ended_is_waited_for_no_longer)
{
	control_ask_all(&server);
	for (size_t i = 0; i < WORKERS; i++)
		answered[i] = i % 2 == 0;
	ck_assert(!control_all_answered(&server));
	for (size_t i = 1; i < WORKERS; i += 2)
		ended[i] = true;
	ck_assert(control_all_answered(&server));
}
END_TEST

static Suite *suite(void)
{
	Suite *suite = suite_create("control");
	TCase *tcase = tcase_create("control");

	tcase_add_checked_fixture(tcase, set_up, NULL);
	tcase_add_loop_test(tcase, a_question_costs_a_look_at_each_worker_and_one_for_each_answer,
			    0, 3);
	tcase_add_test(tcase, who_has_ended_is_waited_for_no_longer);
	suite_add_tcase(suite, tcase);
	return suite;
}

UNIT_MAIN(suite)
