/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A thread with an event loop of its own. Control instructs it through a mailbox and an eventfd; it
 * answers through another one. Control owns the worker, the thread owns the loop.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "daemon/sandbox/sandbox.h"
#include "echod/counters/counters.h"

struct plan;
struct shared_tables;
struct worker;

/*
 * ANSWER_FD: an eventfd that the worker writes to when it has answered or ended. NULL: no memory.
 */
struct worker *worker_new(size_t number, struct shared_tables *shared, int answer_fd) WARN_UNUSED;

/* Waits for its thread if that was started. Accepts NULL. */
void worker_join(struct worker *worker);

/* Joins it, too. The others must no longer run, or they may wake it: see worker_join. */
void worker_free(struct worker *worker);

/* -1 with errno when the thread cannot be created. */
int worker_start(struct worker *worker, enum sandbox sandbox) WARN_UNUSED;

/* Hands over a plan, to be carried out at the worker's next turn. */
void worker_give_plan(struct worker *worker, struct plan *plan);

/* Serves what already waits at its sockets, then closes them. */
void worker_close(struct worker *worker);

/* The same, then drains the connections and ends the thread; when ABORT, resets them. */
void worker_stop(struct worker *worker, bool abort);

/* Asks for an answer; whatever control gave it before is done by then. */
void worker_ask(struct worker *worker);
bool worker_answered(const struct worker *worker); /* the last question */
bool worker_ended(const struct worker *worker);

/*
 * What it had counted when it last answered or ended: COUNTER_SLOTS of them. Not while it is asked.
 */
const uint64_t *worker_counted(const struct worker *worker);
