/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See worker.h. Control writes to the mailbox and rings; the thread reads it on its next turn. */

#include "config.h"

#include "echod/worker/worker.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "daemon/bell.h"
#include "daemon/log.h"
#include "echod/confinement/confinement.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/loop.h"
#include "echod/stream/connections.h"
#include "echod/worker/plan.h"
#include "echod/worker/protocols.h"

enum stop { KEEP_RUNNING, STOP_TAKING_IN, STOP_DRAINING, STOP_NOW };

struct worker {
	struct loop loop;
	struct bell wake;
	pthread_t thread;
	bool started;
	size_t number;
	enum sandbox sandbox;
	int wake_fd;   /* control writes, the thread reads */
	int answer_fd; /* the other way; owned by control */

	uint64_t counted[COUNTER_SLOTS]; /* as of the last answer, between two batches */
	uint64_t counted_finally[COUNTER_SLOTS];

	_Atomic(struct plan *) plan; /* to be carried out */
	_Atomic(enum stop) stop;
	atomic_uint asked;
	atomic_uint answered;
	atomic_bool ended;
};

/* First the sockets, with what waits there; then the connections, as no new ones can come. */
static void handle_stop(struct worker *worker)
{
	struct loop *loop = &worker->loop;
	enum stop stop = atomic_load(&worker->stop);

	if (stop == KEEP_RUNNING)
		return;
	endpoints_stop(loop);
	if (stop == STOP_TAKING_IN)
		return;
	connections_drain(loop);
	if (stop == STOP_NOW)
		connections_abort(loop);
}

static void snapshot_counters(const struct counters *counters,
			      uint64_t counted[static COUNTER_SLOTS])
{
	for (int which = 0; which < COUNTER_SLOTS; which++)
		counted[which] = counter_read(counters, (enum counter)which);
}

static void on_wake(void *arg)
{
	struct worker *worker = arg;
	struct loop *loop = &worker->loop;
	struct plan *plan;
	unsigned asked;

	/* The question is read first, so that the answer covers what control gave us before it. */
	asked = atomic_load(&worker->asked);
	plan = atomic_exchange(&worker->plan, NULL);
	if (plan)
		plan_carry_out(plan, loop);
	/* A watch was passed to us; or their timers could not be added. */
	if (loop->paused_endpoints > 0)
		endpoints_resume(loop);
	handle_stop(worker);
	if (asked != atomic_load(&worker->answered)) {
		snapshot_counters(&loop->counters, worker->counted);
		atomic_store(&worker->answered, asked);
		bell_ring(worker->answer_fd);
	}
}

static void *run(void *arg)
{
	struct worker *worker = arg;
	struct reason reason;
	char name[16];

	snprintf(name, sizeof(name), "echod-%zu", worker->number);
	(void)prctl(PR_SET_NAME, name); /* for top -H; nothing depends on it */
	if (confine_worker(worker->sandbox, &reason) == 0)
		loop_run(&worker->loop);
	else
		log_error("%s", reason.text);
	snapshot_counters(&worker->loop.counters, worker->counted_finally);
	atomic_store(&worker->ended, true);
	bell_ring(worker->answer_fd);
	return NULL;
}

struct worker *worker_new(size_t number, struct shared_tables *shared, int answer_fd)
{
	struct worker *worker = aligned_alloc(_Alignof(struct worker), sizeof(*worker));

	if (!worker)
		return NULL;
	*worker = (struct worker){.number = number, .wake_fd = -1, .answer_fd = answer_fd};
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->wake_fd < 0 || loop_init(&worker->loop, shared) < 0 ||
	    protocols_open(&worker->loop) < 0)
		goto failed;
	worker->loop.number = number;
	worker->loop.bell = worker->wake_fd;
	shared->loops[number] = &worker->loop;
	if (bell_hang(&worker->wake, worker->loop.base, worker->wake_fd, on_wake, worker) < 0)
		goto failed;
	return worker;
failed:
	worker_free(worker);
	return NULL;
}

void worker_join(struct worker *worker)
{
	if (!worker || !worker->started)
		return;
	pthread_join(worker->thread, NULL);
	worker->started = false;
}

void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	worker_join(worker);
	plan_free(atomic_load(&worker->plan));
	protocols_close(&worker->loop);
	loop_clear(&worker->loop);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
	free(worker);
}

int worker_start(struct worker *worker, enum sandbox sandbox)
{
	int error;

	worker->sandbox = sandbox;
	error = pthread_create(&worker->thread, NULL, run, worker);

	if (error != 0) {
		errno = error;
		return -1;
	}
	worker->started = true;
	return 0;
}

void worker_give_plan(struct worker *worker, struct plan *plan)
{
	plan_free(atomic_exchange(&worker->plan, plan));
	bell_ring(worker->wake_fd);
}

void worker_close(struct worker *worker)
{
	atomic_store(&worker->stop, STOP_TAKING_IN);
	bell_ring(worker->wake_fd);
}

void worker_stop(struct worker *worker, bool abort)
{
	atomic_store(&worker->stop, abort ? STOP_NOW : STOP_DRAINING);
	bell_ring(worker->wake_fd);
}

void worker_ask(struct worker *worker)
{
	atomic_fetch_add(&worker->asked, 1);
	bell_ring(worker->wake_fd);
}

bool worker_answered(const struct worker *worker)
{
	return atomic_load(&worker->answered) == atomic_load(&worker->asked);
}

bool worker_ended(const struct worker *worker)
{
	return atomic_load(&worker->ended);
}

const uint64_t *worker_counted(const struct worker *worker)
{
	return worker_ended(worker) ? worker->counted_finally : worker->counted;
}
