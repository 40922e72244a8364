/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The main thread of a bench: connects, starts the threads, reports every second and at the end.
 * Owns the threads, and their sockets until they take them.
 */

#include "config.h"

#include <event2/event.h>
#include <event2/event_struct.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/events.h"
#include "echoc/bench/report.h"
#include "echoc/bench/run.h"
#include "echoc/bench/thread.h"
#include "echoc/bench/window.h"
#include "echoc/command/mode.h"
#include "echoc/command/signals.h"
#include "probe/descriptors.h"

#define START_DELAY (20 * NS_PER_MS)  /* so that every thread is there when it begins */
#define REPORT_DELAY (50 * NS_PER_MS) /* so that every thread has handed in */

#define SIGNALS 3
#define DESCRIPTORS_A_THREAD 4u /* of its loop */

struct bencher {
	struct bench shared;
	struct target *target;
	struct bench_thread **threads;
	size_t count;
	int *sockets;
	int first; /* --connect: a connection before the run, else -1 */
	struct event_base *base;
	struct event report;
	struct event done;
	struct event signals[SIGNALS];
	struct bench_report output;
	uint64_t reports;
	uint64_t finished; /* threads that are done */
	uint64_t stopped;  /* when a signal came that counts; 0: none did */
};

static int arm_report(struct bencher *bencher)
{
	return events_arm(&bencher->report,
			  bencher->shared.start + ++bencher->reports * NS_PER_S + REPORT_DELAY);
}

static void on_report(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct bencher *bencher = context;
	uint64_t until = bencher->shared.start + bencher->reports * NS_PER_S;

	if (until >= bencher->shared.end || bencher->shared.stop)
		return; /* the rest is reported at the end */
	bench_report_interval(&bencher->output, until);
	(void)arm_report(bencher);
}

static void on_done(evutil_socket_t fd, short what UNUSED, void *context)
{
	struct bencher *bencher = context;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == sizeof(count))
		bencher->finished += count;
	if (bencher->finished >= bencher->count)
		event_base_loopbreak(bencher->base);
}

/* The first one ends the run as its time would have; after a second one nothing is awaited. */
static void on_stop(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct bencher *bencher = context;
	uint64_t now = clock_ns();

	if (signal_is_repeated(bencher->stopped, now))
		return;
	bencher->stopped = now;
	if (bencher->shared.stop)
		bencher->shared.hurry = true;
	bencher->shared.stop = true;
}

static void on_quit(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct bencher *bencher = context;

	bench_report_progress(&bencher->output);
}

static int make_events(struct bencher *bencher)
{
	bencher->base = event_base_new();
	bencher->shared.wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!bencher->base || bencher->shared.wakeup < 0)
		return -1;
	evtimer_assign(&bencher->report, bencher->base, on_report, bencher);
	event_assign(&bencher->done, bencher->base, bencher->shared.wakeup, EV_READ | EV_PERSIST,
		     on_done, bencher);
	return event_add(&bencher->done, NULL);
}

/* Not before we are connected: until then a signal ends us at once, with nothing to sum up. */
static int watch_signals(struct bencher *bencher)
{
	static const int signals[SIGNALS] = {SIGINT, SIGTERM, SIGQUIT};

	for (size_t i = 0; i < SIGNALS; i++) {
		evsignal_assign(&bencher->signals[i], bencher->base, signals[i],
				signals[i] == SIGQUIT ? on_quit : on_stop, bencher);
		if (event_add(&bencher->signals[i], NULL) < 0)
			return -1;
	}
	return 0;
}

/* It has shown that the target can be reached; each message connects by itself. */
static int keep_first(struct bencher *bencher, size_t count, struct reason *reason)
{
	bencher->first = bencher->sockets[0];
	for (size_t i = 0; i < count; i++)
		bencher->sockets[i] = -1;
	if (address_port(&bencher->target->source) != 0)
		return reason_set(reason, "--connect cannot do with one source port");
	return 0;
}

static int connect_all(struct bencher *bencher, struct reason *reason)
{
	size_t count = (size_t)bencher->shared.arguments->connections;
	bool is_first_only = bencher->shared.arguments->connect;
	size_t loops = DESCRIPTORS_A_THREAD * (size_t)bencher->shared.arguments->threads;

	bencher->sockets = malloc(count * sizeof(*bencher->sockets));
	if (!bencher->sockets)
		return reason_set(reason, "out of memory");
	bencher->sockets[0] = target_open(bencher->target, CONNECT_TIMEOUT_MS, reason);
	if (bencher->sockets[0] < 0 || descriptors_allow(count + loops, "-c", reason) < 0)
		return -1;
	if (is_first_only && keep_first(bencher, count, reason) < 0)
		return -1;
	return target_open_more(bencher->target, bencher->sockets + 1,
				is_first_only ? 0 : count - 1, CONNECT_TIMEOUT_MS, reason);
}

/* The sockets are dealt out evenly; the first threads have one more when it does not divide. */
static int make_threads(struct bencher *bencher, struct reason *reason)
{
	const struct arguments *arguments = bencher->shared.arguments;
	size_t threads = (size_t)arguments->threads;
	size_t connections = (size_t)arguments->connections;
	const int *sockets = bencher->sockets;

	bencher->threads = calloc(threads, sizeof(struct bench_thread *));
	if (!bencher->threads)
		return reason_set(reason, "out of memory");
	for (size_t i = 0; i < threads; i++) {
		size_t share = connections / threads + (i < connections % threads);

		bencher->threads[i] =
			bench_thread_new(&bencher->shared, (unsigned)i, sockets, share);
		if (!bencher->threads[i])
			return reason_set(reason, "out of memory or descriptors");
		bencher->count++;
		sockets += share;
	}
	return 0;
}

/* Signals are for the main thread: the others start with all of them blocked. */
static int start_threads(struct bencher *bencher, struct reason *reason)
{
	struct bench *shared = &bencher->shared;
	sigset_t all, before;
	int error = 0;

	sigfillset(&all);
	shared->start = clock_ns() + START_DELAY;
	shared->end = shared->start + shared->arguments->duration_ms * NS_PER_MS;
	bench_report_begin(&bencher->output, shared);
	if (arm_report(bencher) < 0)
		return reason_set(reason, "out of memory");
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (size_t i = 0; i < bencher->count && error == 0; i++)
		error = bench_thread_start(bencher->threads[i]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		return 0;
	reason_set(reason, "cannot start a thread: %s", strerror(error));
	fprintf(stderr, "echoc: %s\n", reason->text);
	if (shared->arguments->json)
		(void)bench_report_end(&bencher->output);
	exit(ECHOC_UNABLE); /* some of them run: there is nothing orderly left to do */
}

static int bencher_init(struct bencher *bencher, const struct arguments *arguments,
			struct target *target, struct reason *reason)
{
	memset(bencher, 0, sizeof(*bencher));
	bencher->target = target;
	bencher->shared.arguments = arguments;
	bencher->shared.target = target;
	bencher->shared.wakeup = -1;
	bencher->first = -1;
	pthread_mutex_init(&bencher->shared.mutex, NULL);
	if (bench_window_check(arguments, target->datagram, reason) < 0)
		return -1;
	if (getrandom(&bencher->shared.run, sizeof(bencher->shared.run), 0) < 0)
		return reason_set(reason, "no random number for the run");
	if (make_events(bencher) < 0)
		return reason_set(reason, "out of memory");
	return connect_all(bencher, reason);
}

static void close_first(struct bencher *bencher)
{
	if (bencher->first >= 0)
		close(bencher->first);
	bencher->first = -1;
}

static int start(struct bencher *bencher, struct reason *reason)
{
	if (make_threads(bencher, reason) < 0)
		return -1;
	if (watch_signals(bencher) < 0)
		return reason_set(reason, "out of memory");
	bench_report_start(&bencher->shared,
			   bencher->first >= 0 ? bencher->first : bencher->sockets[0]);
	close_first(bencher);
	return start_threads(bencher, reason);
}

static void bencher_clear(struct bencher *bencher)
{
	for (size_t i = 0; i < bencher->count; i++)
		bench_thread_free(bencher->threads[i]);
	free(bencher->threads);
	free(bencher->sockets);
	close_first(bencher);
	if (bencher->base)
		event_base_free(bencher->base);
	if (bencher->shared.wakeup >= 0)
		close(bencher->shared.wakeup);
	pthread_mutex_destroy(&bencher->shared.mutex);
}

static void sum_up(struct bencher *bencher, struct bench_thread *thread)
{
	struct bench_report *output = &bencher->output;

	bench_thread_add_tcp(thread, &output->tcp);
	output->connects = bench_thread_add_connects(thread, output->connects);
}

enum echoc_status bench_run(const struct arguments *arguments, struct target *target)
{
	enum echoc_status status = ECHOC_UNABLE;
	struct bencher bencher;
	struct reason reason;

	if (bencher_init(&bencher, arguments, target, &reason) == 0 &&
	    start(&bencher, &reason) == 0) {
		if (event_base_dispatch(bencher.base) < 0)
			bencher.shared.broken = true;
		for (size_t i = 0; i < bencher.count; i++)
			bench_thread_join(bencher.threads[i]);
		for (size_t i = 0; i < bencher.count; i++)
			sum_up(&bencher, bencher.threads[i]);
		status = bench_report_end(&bencher.output);
		signals_block();
	} else {
		fprintf(stderr, "echoc: %s\n", reason.text);
	}
	bencher_clear(&bencher);
	return status;
}
