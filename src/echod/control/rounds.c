/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See rounds.h. */

#include "config.h"

#include "echod/control/rounds.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "echod/worker/worker.h"

static void wait_for_end(struct rounds *rounds, round_call *call, void *arg)
{
	for (size_t i = 0; i < rounds->waiting_count; i++) {
		if (rounds->waiting[i].call == call && rounds->waiting[i].arg == arg)
			return;
	}
	assert(rounds->waiting_count < ROUND_CALLS_MAX);
	rounds->waiting[rounds->waiting_count].call = call;
	rounds->waiting[rounds->waiting_count++].arg = arg;
}

void rounds_ask(struct rounds *rounds, round_call *call, void *arg)
{
	wait_for_end(rounds, call, arg);
	rounds->heard = 0;
	for (size_t i = 0; i < rounds->count; i++)
		worker_ask(rounds->workers[i]);
}

/*
 * A worker that has answered stays so until the next question, so each is looked at once for a
 * question, and the one that keeps us waiting once for an answer.
 */
bool rounds_over(struct rounds *rounds)
{
	while (rounds->heard < rounds->count) {
		const struct worker *worker = rounds->workers[rounds->heard];

		if (!worker_answered(worker) && !worker_ended(worker))
			return false;
		rounds->heard++;
	}
	return true;
}

void rounds_call_waiting(struct rounds *rounds)
{
	struct rounds over = *rounds;

	rounds->waiting_count = 0;
	for (size_t i = 0; i < over.waiting_count; i++)
		over.waiting[i].call(over.waiting[i].arg);
}

void rounds_sum(const struct rounds *rounds, uint64_t counters[static COUNTER_SLOTS])
{
	memset(counters, 0, COUNTER_SLOTS * sizeof(counters[0]));
	for (size_t i = 0; i < rounds->count; i++) {
		const uint64_t *counted = worker_counted(rounds->workers[i]);

		for (int which = 0; which < COUNTER_SLOTS; which++)
			counters[which] += counted[which];
	}
}

int rounds_start_workers(const struct rounds *rounds, enum sandbox sandbox)
{
	for (size_t i = 0; i < rounds->count; i++) {
		if (worker_start(rounds->workers[i], sandbox) < 0)
			return -1;
	}
	return 0;
}

void rounds_stop_workers(const struct rounds *rounds, bool abort)
{
	for (size_t i = 0; i < rounds->count; i++)
		worker_stop(rounds->workers[i], abort);
}

size_t rounds_ended_workers(const struct rounds *rounds)
{
	size_t ended = 0;

	for (size_t i = 0; i < rounds->count; i++)
		ended += worker_ended(rounds->workers[i]);
	return ended;
}

void rounds_free_workers(struct rounds *rounds)
{
	for (size_t i = 0; rounds->workers && i < rounds->count; i++)
		worker_join(rounds->workers[i]);
	for (size_t i = 0; rounds->workers && i < rounds->count; i++)
		worker_free(rounds->workers[i]);
	free(rounds->workers);
	rounds->workers = NULL;
}
