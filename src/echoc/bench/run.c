/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Ticks, the schedule and the end of sending. Owns nothing; it runs in the event loop of a thread,
 * and only the books meet those of others, once a second, under a lock.
 */

#include "config.h"

#include "base/events.h"
#include "echoc/bench/run.h"

#include <sys/timerfd.h>

#include "base/clock.h"

#define TICK (100 * NS_PER_MS)
#define TICKS_PER_REPORT 10
#define DRAIN_TICK (10 * NS_PER_MS)
#define DRAIN_LEAST (5 * NS_PER_S)
#define DRAIN_MOST (60 * NS_PER_S)

/* One system call per socket, so only when there is a loss to explain. */
static void hand_in(struct bench_thread *self)
{
	struct bench *bench = self->bench;

	for (size_t i = 0; self->lane.books.lost > 0 && i < self->count; i++)
		channel_count_drops(&self->channels[i]);
	pthread_mutex_lock(&bench->mutex);
	books_merge(&bench->books, &self->lane.books);
	if (self->lane.last_heard > bench->last_heard)
		bench->last_heard = self->lane.last_heard;
	if (self->stopped > bench->sent_until)
		bench->sent_until = self->stopped;
	if (self->held_up > bench->held_up)
		bench->held_up = self->held_up;
	bench->given_up += self->given_up;
	self->given_up = 0;
	pthread_mutex_unlock(&bench->mutex);
	books_clear(&self->lane.books);
	for (size_t i = 0; i < self->count; i++)
		channel_close_books(&self->channels[i]);
}

static void finish(struct bench_thread *self)
{
	for (size_t i = 0; i < self->count; i++)
		channel_finish(&self->channels[i]);
	self->lane.books.received_after = self->lane.books.received;
	self->lane.books.bytes_after = self->lane.books.bytes;
	if (self->lane.send_error != 0)
		self->bench->send_error = self->lane.send_error;
	if (self->lane.connect_error != 0)
		self->bench->connect_error = self->lane.connect_error;
	if (self->bench->arguments->gso && !self->lane.gso)
		self->bench->gso_refused = true;
	hand_in(self);
	event_base_loopbreak(self->lane.base);
}

static bool is_waiting(const struct bench_thread *self)
{
	for (size_t i = 0; i < self->count; i++) {
		if (flow_waiting(&self->channels[i].flow) > 0)
			return true;
	}
	return false;
}

/*
 * Everything came back, and two ticks for duplicates went by; or nothing has for so long that what
 * waits is lost.
 */
static bool is_drained(struct bench_thread *self, uint64_t now)
{
	uint64_t since = self->lane.last_heard;

	if (since < self->schedule.end && now >= self->schedule.end)
		since = self->schedule.end;
	if (since < self->lane.resumed)
		since = self->lane.resumed;
	if (!is_waiting(self)) {
		if (self->quiet_since == 0)
			self->quiet_since = now;
		return now - self->quiet_since >= 2 * DRAIN_TICK;
	}
	self->quiet_since = 0;
	return now > since && now - since > self->lane.timeout;
}

/* A trickling server must not hold us up; a slow path may take as long as the sending. */
static bool is_over(const struct bench_thread *self, uint64_t now)
{
	uint64_t limit = self->stopped - self->bench->start;

	if (limit < DRAIN_LEAST)
		limit = DRAIN_LEAST;
	if (limit > DRAIN_MOST)
		limit = DRAIN_MOST;
	if (limit < self->lane.timeout)
		limit = self->lane.timeout;
	return now - self->stopped - self->paused >= limit;
}

/*
 * The end may come early, by ^C; the schedule then ends with it. We may come late, and what was due
 * by then still goes.
 */
static void stop_sending(struct bench_thread *self, uint64_t now)
{
	for (size_t i = 0; self->lane.scheduled && i < self->count; i++)
		channel_fill(&self->channels[i], now);
	self->lane.sending = false;
	if (now < self->schedule.end)
		self->schedule.end = now;
	for (size_t i = 0; self->lane.scheduled && i < self->count; i++)
		channel_end_schedule(&self->channels[i], self->schedule.end);
	if (self->timer >= 0)
		event_del(&self->due);
	self->stopped = now;
	hand_in(self); /* what comes from now on is no part of the rate */
}

/*
 * After a stop of ours what waits in the sockets has to be read before anything is given up. A
 * thread that is merely busy has used the processor.
 */
static void notice_stop(struct bench_thread *self, uint64_t now)
{
	uint64_t cpu = clock_read(CLOCK_THREAD_CPUTIME_ID);
	uint64_t gone = now - self->lane.ticked;

	if (self->lane.ticked != 0 && gone >= LANE_STOP_LEAST && cpu - self->cpu_used < gone / 2) {
		self->lane.resumed = now;
		self->held_up += gone;
		if (self->stopped != 0)
			self->paused += gone;
	}
	self->cpu_used = cpu;
	self->lane.ticked = now;
}

static void arm_next(struct bench_thread *self)
{
	uint64_t next = self->bench->start + ++self->ticks * TICK;

	if (self->ticks % TICKS_PER_REPORT == 1 && self->ticks > 1)
		hand_in(self);
	events_arm(&self->tick, next < self->bench->end ? next : self->bench->end);
}

/* Nothing is sent any more: true when nothing is waited for any more either. */
static bool ends(struct bench_thread *self, uint64_t now)
{
	bool drained = is_drained(self, now);

	if (!drained && !is_over(self, now) && !self->bench->hurry)
		return false;
	for (size_t i = 0; !drained && i < self->count; i++)
		self->given_up += flow_waiting(&self->channels[i].flow);
	finish(self);
	return true;
}

void bench_run_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct bench_thread *self = context;
	uint64_t now = clock_ns();

	notice_stop(self, now);
	if (self->ticks == 0)
		self->lane.sending = true; /* once at least, even if late for all of the run */
	else if (self->lane.sending && (now >= self->bench->end || self->bench->stop))
		stop_sending(self, now);
	for (size_t i = 0; i < self->count; i++)
		channel_tick(&self->channels[i], now);
	if (self->lane.sending)
		arm_next(self);
	else if (!ends(self, now))
		events_arm(&self->tick, now + DRAIN_TICK);
}

/* Setting it anew also makes it unreadable, which saves a read. */
static void arm_schedule(struct bench_thread *self)
{
	uint64_t due = schedule_due(&self->schedule, self->woken);
	struct itimerspec when = {.it_value = {(time_t)(due / NS_PER_S), (long)(due % NS_PER_S)}};

	(void)timerfd_settime(self->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Message number N of this thread is one of channel N mod count, which knows by itself which. */
void bench_run_due(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct bench_thread *self = context;
	uint64_t now = clock_ns();
	uint64_t due = schedule_count(&self->schedule, now);
	uint64_t from = self->woken;

	if (due - from > self->count)
		from = due - self->count;
	for (uint64_t number = from; number < due; number++)
		channel_fill(&self->channels[number % self->count], now);
	self->woken = due;
	arm_schedule(self);
}

int bench_run_begin(struct bench_thread *self)
{
	if (self->lane.scheduled)
		arm_schedule(self);
	return events_arm(&self->tick, self->bench->start);
}
