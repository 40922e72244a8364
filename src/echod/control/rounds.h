/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Rounds: control asks all workers for a sign of life, and when every one has answered or ended it
 * calls those that wait for it. What the workers counted is then whole, and what they were given
 * before is done. Owns the workers; used by all of control.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "daemon/sandbox/sandbox.h"
#include "echod/counters/counters.h"

struct worker;

/* There are nine kinds of calls in all; eight of them can wait at once. */
#define ROUND_CALLS_MAX 16

typedef void round_call(void *arg);

struct rounds {
	struct worker **workers;
	size_t count;
	size_t heard; /* how many, from the first one on, have answered the last question */
	struct {
		round_call *call;
		void *arg;
	} waiting[ROUND_CALLS_MAX];
	size_t waiting_count;
};

/*
 * Asks all workers. CALL is called with ARG once when this round is over, however often it was
 * asked for until then; calls come in the order in which they were first asked for.
 */
void rounds_ask(struct rounds *rounds, round_call *call, void *arg);

/* Every worker has answered the last question, or has ended. */
bool rounds_over(struct rounds *rounds);

/* To be called when a round is over. A call may begin the next round. */
void rounds_call_waiting(struct rounds *rounds);

/* What all workers have counted, as of this round, which is over. */
void rounds_sum(const struct rounds *rounds, uint64_t counters[static COUNTER_SLOTS]);

/* -1 with errno when a thread cannot be created; the others run. */
int rounds_start_workers(const struct rounds *rounds, enum sandbox sandbox) WARN_UNUSED;

/* Lets them drain, or has them end at once when ABORT. */
void rounds_stop_workers(const struct rounds *rounds, bool abort);
size_t rounds_ended_workers(const struct rounds *rounds);

/* Waits for their threads. Accepts one of zeros. */
void rounds_free_workers(struct rounds *rounds);
