/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The threads of a bench. Each owns an event loop, its channels and the buffers they share; bench.c
 * starts them, run.c is what they do.
 */

#include "config.h"

#include "echoc/bench/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/events.h"
#include "echoc/bench/run.h"
#include "echoc/bench/window.h"

#define READY_FIRST 32 /* how long libevent's list of ready descriptors is at first, and at most */
#define READY_MOST 4096

/* How many connections a run may leave in TIME_WAIT: fewer than there are ports. */
#define ORDERLY_MAX 10000

/* One turn of the loop that finds COUNT sockets ready: before the run all can be written to. */
static void turn_with(struct bench_thread *self, size_t count)
{
	for (size_t i = 0; i < count; i++)
		event_add(&self->channels[i].link.writable, NULL);
	event_base_loop(self->lane.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

/*
 * libevent's list of what is ready doubles each time it was full. Let it grow before the run, not
 * in its middle, when many replies happen to come at once.
 */
static void grow_ready_list(struct bench_thread *self)
{
	if (self->lane.kind->connects)
		return;
	for (size_t ready = READY_FIRST; ready <= self->count && ready <= READY_MOST; ready *= 2)
		turn_with(self, ready);
}

static void *run(void *context)
{
	struct bench_thread *self = context;
	const uint64_t one = 1;

	grow_ready_list(self);
	if (events_run(self->lane.base, self->bench->arguments->busy) < 0)
		self->bench->broken = true;
	(void)!write(self->bench->wakeup, &one, sizeof(one));
	return NULL;
}

static void plan(struct bench_thread *self)
{
	const struct bench *bench = self->bench;
	uint64_t threads = bench->arguments->threads;

	self->schedule = (struct schedule){.start = bench->start,
					   .end = bench->end,
					   .rate = bench->arguments->rate,
					   .index = self->index,
					   .count = threads};
	for (size_t i = 0; i < self->count; i++) {
		struct schedule *schedule = &self->channels[i].schedule;

		*schedule = self->schedule;
		schedule->index += threads * i;
		schedule->count *= self->count;
	}
}

static int make_schedule(struct bench_thread *self)
{
	self->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (self->timer < 0)
		return -1;
	event_assign(&self->due, self->lane.base, self->timer, EV_READ | EV_PERSIST, bench_run_due,
		     self);
	return event_add(&self->due, NULL);
}

/* On its own host a port can be used again after a second. */
static bool target_is_local(const struct target *target)
{
	struct in6_addr ip;

	return !address_ip(&target->candidates[target->chosen].sa, &ip) || ip_is_loopback(&ip);
}

/*
 * With a list of changes the loop asks for what a socket waits for as rarely as it can. But then it
 * speaks of a socket after that was closed, when its number may be that of another thread's.
 */
static struct event_base *make_base(const struct arguments *arguments)
{
	return events_new_base(arguments->connect ? 0 : EVENT_BASE_FLAG_EPOLL_USE_CHANGELIST);
}

static int make_lane(struct bench_thread *self)
{
	const struct arguments *arguments = self->bench->arguments;
	const struct target *target = self->bench->target;
	struct lane *lane = &self->lane;

	lane->target = target;
	lane->depth = arguments->depth;
	lane->scheduled = arguments->rate > 0;
	lane->gso = arguments->gso;
	lane->timeout = arguments->timeout_ms * NS_PER_MS;
	lane->patience = CONNECT_TIMEOUT_MS * NS_PER_MS;
	lane->base = make_base(arguments);
	if (!lane->base)
		return -1;
	evtimer_assign(&self->tick, lane->base, bench_run_tick, self);
	if (lane->scheduled && make_schedule(self) < 0)
		return -1;
	lane->kind = arguments->connect ? &channel_connect
		     : target->datagram ? &channel_udp
					: &channel_tcp;
	lane->in_order = target_is_local(target) ? UINT64_MAX : ORDERLY_MAX / arguments->threads;
	return lane->kind->prepare(lane, (size_t)arguments->size);
}

static int make_channels(struct bench_thread *self, const int *sockets, size_t count)
{
	const struct arguments *arguments = self->bench->arguments;

	self->channels = calloc(count, sizeof(*self->channels));
	if (!self->channels)
		return -1;
	for (size_t i = 0; i < count; i++) {
		uint64_t number = self->index + arguments->threads * i;
		int result = channel_init(&self->channels[i], &self->lane, sockets[i],
					  self->bench->run + number, (size_t)arguments->size,
					  bench_window(arguments, self->lane.target->datagram));

		self->count++;
		if (result < 0)
			return -1;
	}
	return 0;
}

struct bench_thread *bench_thread_new(struct bench *bench, unsigned index, const int *sockets,
				      size_t count)
{
	struct bench_thread *self = calloc(1, sizeof(*self));

	if (!self)
		return NULL;
	self->bench = bench;
	self->index = index;
	self->timer = -1;
	if (make_lane(self) == 0 && make_channels(self, sockets, count) == 0)
		return self;
	bench_thread_free(self);
	return NULL;
}

int bench_thread_start(struct bench_thread *self)
{
	plan(self);
	if (bench_run_begin(self) < 0)
		return ENOMEM;
	return pthread_create(&self->thread, NULL, run, self);
}

void bench_thread_join(struct bench_thread *self)
{
	pthread_join(self->thread, NULL);
}

void bench_thread_add_tcp(const struct bench_thread *self, struct tcp_figures *figures)
{
	for (size_t i = 0; i < self->count; i++) {
		struct tcp_figures own = link_tcp_figures(&self->channels[i].link);

		tcp_figures_merge(figures, &own);
	}
}

const struct latency *bench_thread_add_connects(struct bench_thread *self,
						const struct latency *other)
{
	if (other)
		latency_merge(self->lane.connects, other);
	return self->lane.connects;
}

void bench_thread_free(struct bench_thread *self)
{
	if (!self)
		return;
	for (size_t i = 0; i < self->count; i++)
		channel_clear(&self->channels[i]);
	free(self->channels);
	if (self->timer >= 0)
		close(self->timer);
	if (self->lane.base)
		event_base_free(self->lane.base);
	free(self->lane.in);
	free(self->lane.out);
	free(self->lane.batch);
	free(self->lane.connects);
	free(self);
}
