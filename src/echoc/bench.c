/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * bench, seen from the main thread: connects, starts the threads, reports once a second, sums up.
 * Owns the threads, their sockets until they take them, and all output.
 */

#include "config.h"

#include "bench.h"

#include <assert.h>
#include <event2/event.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench_live.h"
#include "bench_thread.h"
#include "clock.h"
#include "report.h"
#include "terminal.h"

#define START_DELAY (20 * NS_PER_MS)  /* so that every thread is there when it begins */
#define REPORT_DELAY (50 * NS_PER_MS) /* so that every thread has handed in */

struct bencher {
	struct bench shared;
	struct target *target;
	struct bench_thread **threads;
	size_t count;
	int *sockets;
	struct event_base *base;
	struct event *report;
	struct event *done;
	struct event *signals[2];
	struct books total;
	uint64_t reports;
	uint64_t finished; /* threads that are done */
	double cpu_before;
	uint64_t reported; /* until when */
	bool live;
};

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static double seconds_between(uint64_t from, uint64_t to)
{
	return to > from ? (double)(to - from) / 1e9 : 0;
}

/* What the threads handed in since the last time. */
static void collect(struct bencher *bencher, struct books *books)
{
	struct bench *shared = &bencher->shared;

	pthread_mutex_lock(&shared->mutex);
	*books = shared->books;
	books_clear(&shared->books);
	pthread_mutex_unlock(&shared->mutex);
	books_merge(&bencher->total, books);
}

static void arm_report(struct bencher *bencher)
{
	uint64_t due = bencher->shared.start + ++bencher->reports * NS_PER_S + REPORT_DELAY;
	uint64_t now = clock_now();
	uint64_t us = due > now ? (due - now) / NS_PER_US : 0;
	struct timeval wait = {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};

	event_add(bencher->report, &wait);
}

static void report_interval(struct bencher *bencher, const struct books *books, uint64_t until)
{
	const struct arguments *arguments = bencher->shared.arguments;
	double cpu = cpu_seconds();
	struct report_span span = {.seconds = seconds_between(bencher->reported, until),
				   .messages = (double)(books->received - books->received_after),
				   .bytes = (double)(books->bytes - books->bytes_after),
				   .elapsed = seconds_between(bencher->shared.start, until),
				   .cpu = cpu - bencher->cpu_before,
				   .threads = (unsigned)arguments->threads};
	struct live_line line = {.elapsed = span.elapsed,
				 .duration = (double)arguments->duration_ms / 1e3,
				 .span = &span,
				 .books = books,
				 .lost = bencher->total.lost};

	if (arguments->json)
		report_books_json("interval", arguments, books, &span);
	else if (bencher->live)
		live_draw(&line);
	bencher->cpu_before = cpu;
	bencher->reported = until;
}

static void on_report(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct bencher *bencher = context;
	uint64_t until = bencher->shared.start + bencher->reports * NS_PER_S;
	struct books books;

	if (until >= bencher->shared.end || bencher->shared.stop)
		return; /* the rest is reported at the end */
	collect(bencher, &books);
	report_interval(bencher, &books, until);
	arm_report(bencher);
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

/* The first one ends the run as its time would have; a second one waits for nothing more. */
static void on_stop(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct bencher *bencher = context;

	if (bencher->shared.stop) {
		if (bencher->live)
			live_erase();
		_exit(ECHOC_DAMAGED);
	}
	bencher->shared.stop = true;
}

static struct event *new_event(struct bencher *bencher, int fd, short what,
			       event_callback_fn callback)
{
	struct event *event = event_new(bencher->base, fd, what, callback, bencher);

	if (event && what != 0)
		event_add(event, NULL);
	return event;
}

static int make_events(struct bencher *bencher)
{
	bencher->base = event_base_new();
	bencher->shared.wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!bencher->base || bencher->shared.wakeup < 0)
		return -1;
	bencher->report = new_event(bencher, -1, 0, on_report);
	bencher->done = new_event(bencher, bencher->shared.wakeup, EV_READ | EV_PERSIST, on_done);
	return bencher->report && bencher->done ? 0 : -1;
}

/* Not before we are connected: until then a signal ends us at once, with nothing to sum up. */
static int watch_signals(struct bencher *bencher)
{
	bencher->signals[0] = new_event(bencher, SIGINT, EV_SIGNAL | EV_PERSIST, on_stop);
	bencher->signals[1] = new_event(bencher, SIGTERM, EV_SIGNAL | EV_PERSIST, on_stop);
	return bencher->signals[0] && bencher->signals[1] ? 0 : -1;
}

static void allow_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int connect_all(struct bencher *bencher, struct reason *reason)
{
	size_t count = (size_t)bencher->shared.arguments->connections;

	allow_descriptors();
	bencher->sockets = malloc(count * sizeof(*bencher->sockets));
	if (!bencher->sockets)
		return reason_set(reason, "out of memory");
	bencher->sockets[0] = target_open(bencher->target, CONNECT_TIMEOUT_MS, reason);
	if (bencher->sockets[0] < 0)
		return -1;
	return target_open_more(bencher->target, bencher->sockets + 1, count - 1,
				CONNECT_TIMEOUT_MS, reason);
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
	shared->start = clock_now() + START_DELAY;
	shared->end = shared->start + shared->arguments->duration_ms * NS_PER_MS;
	bencher->reported = shared->start;
	bencher->cpu_before = cpu_seconds();
	pthread_sigmask(SIG_BLOCK, &all, &before);
	for (size_t i = 0; i < bencher->count && error == 0; i++)
		error = bench_thread_start(bencher->threads[i]);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (error == 0)
		return 0;
	reason_set(reason, "cannot start a thread: %s", strerror(error));
	fprintf(stderr, "echoc: %s\n", reason->text);
	exit(ECHOC_UNABLE); /* some of them run: there is nothing orderly left to do */
}

static int bencher_init(struct bencher *bencher, const struct arguments *arguments,
			struct target *target, struct reason *reason)
{
	memset(bencher, 0, sizeof(*bencher));
	bencher->target = target;
	bencher->live = !arguments->json && terminal_is(stdout);
	bencher->shared.arguments = arguments;
	bencher->shared.target = target;
	bencher->shared.wakeup = -1;
	pthread_mutex_init(&bencher->shared.mutex, NULL);
	if (getrandom(&bencher->shared.run, sizeof(bencher->shared.run), 0) < 0)
		return reason_set(reason, "no random numbers: the run cannot be told apart");
	if (make_events(bencher) < 0)
		return reason_set(reason, "out of memory");
	return connect_all(bencher, reason);
}

static int start(struct bencher *bencher, struct reason *reason)
{
	char own[ADDRESS_TEXT_MAX];
	const struct bench *shared = &bencher->shared;

	if (make_threads(bencher, reason) < 0)
		return -1;
	if (watch_signals(bencher) < 0)
		return reason_set(reason, "out of memory");
	if (shared->arguments->json)
		report_start_json(shared->arguments, bencher->target, shared->run,
				  target_own_text(bencher->sockets[0], own));
	return start_threads(bencher, reason);
}

static void print_problems(const struct bencher *bencher)
{
	if (bencher->shared.send_error != 0)
		fprintf(stderr, "echoc: sending failed: %s\n",
			strerror(bencher->shared.send_error));
	if (bencher->shared.gso_refused)
		fprintf(stderr, "echoc: the kernel refused trains here: sent singly\n");
	if (bencher->shared.given_up > 0)
		fprintf(stderr,
			"echoc: %" PRIu64 " still outstanding when the time to wait was over, "
			"counted as lost\n",
			(uint64_t)bencher->shared.given_up);
}

/*
 * The rate is that of what came back while we were sending: a reply that we then waited for would
 * make the time longer and add next to nothing. Unless that was nothing at all.
 */
static void measure_rate(const struct bencher *bencher, struct report_span *span)
{
	const struct bench *shared = &bencher->shared;
	const struct books *total = &bencher->total;
	uint64_t until = shared->sent_until;

	span->messages = (double)(total->received - total->received_after);
	span->bytes = (double)(total->bytes - total->bytes_after);
	if (total->received == total->received_after && total->received > 0) {
		span->messages = (double)total->received;
		span->bytes = (double)total->bytes;
		until = shared->last_heard;
	}
	span->seconds = seconds_between(shared->start, until);
}

static enum echoc_status finish(struct bencher *bencher, double cpu)
{
	const struct bench *shared = &bencher->shared;
	struct report_span span = {.elapsed = seconds_between(shared->start, clock_now()),
				   .cpu = cpu,
				   .threads = (unsigned)shared->arguments->threads};
	struct books last;

	collect(bencher, &last);
	assert(books_balance(&bencher->total));
	measure_rate(bencher, &span);
	if (bencher->live)
		live_erase();
	if (shared->arguments->json) {
		/* So that they add up to the summary. */
		report_interval(bencher, &last, shared->sent_until);
		report_books_json("summary", shared->arguments, &bencher->total, &span);
		report_hint(stderr, bencher->target, &bencher->total, span.seconds);
	} else {
		report_bench_text(shared->arguments, bencher->target, &bencher->total, &span);
	}
	print_problems(bencher);
	return books_clean(&bencher->total) ? ECHOC_INTACT : ECHOC_DAMAGED;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

static void bencher_clear(struct bencher *bencher)
{
	for (size_t i = 0; i < bencher->count; i++)
		bench_thread_free(bencher->threads[i]);
	free(bencher->threads);
	free(bencher->sockets);
	free_event(bencher->report);
	free_event(bencher->done);
	free_event(bencher->signals[0]);
	free_event(bencher->signals[1]);
	if (bencher->base)
		event_base_free(bencher->base);
	if (bencher->shared.wakeup >= 0)
		close(bencher->shared.wakeup);
	pthread_mutex_destroy(&bencher->shared.mutex);
}

enum echoc_status bench_run(const struct arguments *arguments, struct target *target)
{
	enum echoc_status status = ECHOC_UNABLE;
	struct bencher bencher;
	struct reason reason;

	if (bencher_init(&bencher, arguments, target, &reason) == 0 &&
	    start(&bencher, &reason) == 0) {
		double cpu = cpu_seconds();

		arm_report(&bencher);
		event_base_dispatch(bencher.base);
		for (size_t i = 0; i < bencher.count; i++)
			bench_thread_join(bencher.threads[i]);
		status = finish(&bencher, cpu_seconds() - cpu);
	} else {
		fprintf(stderr, "echoc: %s\n", reason.text);
	}
	bencher_clear(&bencher);
	return status;
}
