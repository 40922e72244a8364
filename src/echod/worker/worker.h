/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A thread with an event loop of its own. Control tells it what to do through a mailbox and an
 * eventfd; it answers through another one. Control owns the worker, the thread owns the loop.
 */

#ifndef ECHOD_WORKER_WORKER_H
#define ECHOD_WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "echod/counters/counters.h"

struct plan;
struct shared_tables;
struct worker;

/*
 * ANSWER_FD: an eventfd that the worker writes to when it has answered or ended. NULL: no memory.
 */
struct worker *worker_new(size_t number, struct shared_tables *shared, int answer_fd) WARN_UNUSED;

/* Waits for the thread, if it was started. Accepts NULL. */
void worker_free(struct worker *worker);

/* -1 with errno when the thread cannot be created. */
int worker_start(struct worker *worker) WARN_UNUSED;

/* Hands over a plan, to be carried out at the worker's next turn. */
void worker_give_plan(struct worker *worker, struct plan *plan);

/* Take nothing new in: serve who waits at its sockets, and close these. */
void worker_close(struct worker *worker);

/* The same, and serve what is there to its end, then end the thread; when ABORT, at once. */
void worker_stop(struct worker *worker, bool abort);

/* Asks for a sign of life; everything handed over before is done by the time it is answered. */
void worker_ask(struct worker *worker);
bool worker_answered(const struct worker *worker); /* what was asked last */
bool worker_ended(const struct worker *worker);

/*
 * What it had counted when it last answered or ended: COUNTER_SLOTS of them. Not while it is asked.
 */
const uint64_t *worker_counted(const struct worker *worker);

#endif
