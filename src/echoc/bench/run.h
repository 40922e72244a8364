/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The run of one thread of a bench: when it sends, how it waits at the end, and the books that it
 * hands in once a second.
 */

#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "echoc/bench/channel.h"
#include "echoc/command/arguments.h"
#include "probe/books.h"
#include "probe/schedule.h"

/* What all threads share. Only the atomics, `books` and what follows it change after the start. */
struct bench {
	const struct arguments *arguments;
	const struct target *target;
	uint64_t run;
	uint64_t start; /* nanoseconds of CLOCK_MONOTONIC */
	uint64_t end;
	_Atomic bool stop;  /* send nothing more: interrupted, */
	_Atomic bool hurry; /* and again: nothing is awaited any more */
	_Atomic int send_error;
	_Atomic int connect_error;
	_Atomic bool gso_refused;
	_Atomic bool broken;	   /* a thread could not wait for events */
	_Atomic uint64_t given_up; /* messages that were still awaited when the time was up */
	int wakeup;		   /* an eventfd: counts the threads that are done */
	pthread_mutex_t mutex;
	struct books books; /* handed in, not yet reported */
	uint64_t last_heard;
	uint64_t sent_until; /* the end of sending, of the last thread */
	uint64_t held_up;    /* how long we were stopped ourselves, the thread that was longest */
};

/* Made by thread.c. */
struct bench_thread {
	struct bench *bench;
	unsigned index;
	pthread_t thread;
	struct lane lane;
	struct event tick;
	uint64_t ticks;
	int timer; /* a timerfd, for the schedule */
	struct event due;
	struct schedule schedule; /* of all our channels together */
	uint64_t woken;		  /* messages of it whose channel was woken */
	struct channel *channels;
	size_t count;
	uint64_t stopped;     /* sending: when */
	uint64_t paused;      /* since then, by stops of ours */
	uint64_t held_up;     /* by all of them */
	uint64_t cpu_used;    /* until the latest tick */
	uint64_t given_up;    /* still outstanding at the end of the wait */
	uint64_t quiet_since; /* since when nothing is outstanding; 0: something is */
};

/* Sets the first events; everything else follows from them. -1 without memory. */
int bench_run_begin(struct bench_thread *self) WARN_UNUSED;

/* The callbacks of the events `tick` and `due`. */
void bench_run_tick(evutil_socket_t fd, short what, void *context);
void bench_run_due(evutil_socket_t fd, short what, void *context);
