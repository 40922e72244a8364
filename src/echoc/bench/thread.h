/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One thread of a bench: an event loop with its share of the connections and its own books, which
 * it hands in once a second.
 */

#ifndef ECHOC_BENCH_THREAD_H
#define ECHOC_BENCH_THREAD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "echoc/command/arguments.h"
#include "probe/books.h"
#include "probe/target.h"

/* What all threads share. Only the atomics, `books` and what follows it change after the start. */
struct bench {
	const struct arguments *arguments;
	const struct target *target;
	uint64_t run;
	uint64_t start; /* nanoseconds of CLOCK_MONOTONIC */
	uint64_t end;
	_Atomic bool stop; /* send nothing more: interrupted */
	_Atomic int send_error;
	_Atomic bool gso_refused;
	_Atomic uint64_t given_up; /* messages that were still awaited when the time was up */
	int wakeup;		   /* an eventfd: counts the threads that are done */
	pthread_mutex_t mutex;
	struct books books; /* handed in, not yet reported */
	uint64_t last_heard;
	uint64_t sent_until; /* the end of sending, of the last thread */
	uint64_t held_up;    /* how long we were stopped ourselves, the thread that was longest */
};

/* For each connection, at the start and when it is made again. */
#define CONNECT_TIMEOUT_MS 5000

struct bench_thread;

/* Takes over the sockets. INDEX is which of the threads it is. NULL without memory. */
struct bench_thread *bench_thread_new(struct bench *bench, unsigned index, const int *sockets,
				      size_t count);
void bench_thread_free(struct bench_thread *self);

int bench_thread_start(struct bench_thread *self) WARN_UNUSED; /* 0 or an errno */
void bench_thread_join(struct bench_thread *self);

#endif
