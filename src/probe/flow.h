/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One conversation: the probes sent on one connection or socket, and the verdict on what came back.
 * Every mode that measures settles its probes here, so the books have one keeper. The window is
 * read by none but the functions here.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "probe/books.h"
#include "probe/probe.h"
#include "probe/window.h"

enum verdict { VERDICT_INTACT, VERDICT_CORRUPT, VERDICT_TRUNCATED };

/* How a reply differs from its probe, if it does. */
struct finding {
	enum verdict verdict;
	uint64_t offset;   /* of the first byte that differs, or of the end */
	int expected;	   /* -1: no byte, the probe ended before */
	int got;	   /* -1: no byte, the reply ended before */
	uint64_t inserted; /* bytes that came before a reply that was found behind them */
};

/* What a reply is to the books. */
enum fate { FATE_RECEIVED, FATE_LATE, FATE_DUPLICATE };

struct flow {
	uint64_t run;
	size_t size;	  /* of every probe */
	uint64_t timeout; /* ns; UINT64_MAX, as flow_init sets it, is none */
	struct window window;
	uint64_t highest; /* the highest sequence received, for the order */
	struct jitter jitter;
	struct books *books; /* not owned */
};

/* WINDOW is how many sequences are remembered. -1 without memory. */
int flow_init(struct flow *flow, uint64_t run, size_t size, size_t window,
	      struct books *books) WARN_UNUSED;
void flow_clear(struct flow *flow);

/* No probe before this one is waiting; the next one is sent as this. */
static inline uint64_t flow_oldest(const struct flow *flow)
{
	return flow->window.oldest;
}

static inline uint64_t flow_next(const struct flow *flow)
{
	return flow->window.next;
}

/* How many wait for their reply, and the oldest of them; 0: none does. */
static inline uint64_t flow_waiting(const struct flow *flow)
{
	return flow->window.waiting;
}

static inline uint64_t flow_oldest_waiting(const struct flow *flow)
{
	return flow->window.waiting > 0 ? flow->window.oldest : 0;
}

/* As flow_waiting, without those that LAG others were sent after, which then are no longer due. */
static inline uint64_t flow_outstanding(const struct flow *flow)
{
	return flow->window.waiting - flow->window.overtaken;
}

/* Before the first is sent; LAG is the size of the window unless it is set to less. */
static inline void flow_limit_lag(struct flow *flow, uint64_t lag)
{
	if (flow->window.lag > lag)
		flow->window.lag = lag;
}

/* How many more can be sent without giving one up. */
static inline uint64_t flow_room(const struct flow *flow)
{
	return window_room(&flow->window);
}

/* Whether the sequence is remembered; and whether it still waits. */
static inline bool flow_holds(const struct flow *flow, uint64_t sequence)
{
	return window_holds(&flow->window, sequence);
}

static inline bool flow_awaits(const struct flow *flow, uint64_t sequence)
{
	return flow_holds(flow, sequence) && window_state(&flow->window, sequence) == SLOT_WAITING;
}

/*
 * The first sequence from *NEXT on, before UNTIL, that is held and settled, with *NEXT behind it; 0
 * when there is none. Passes over what waits.
 */
uint64_t flow_settled(const struct flow *flow, uint64_t *next, uint64_t until);

/* Of a sequence that is held: its first reply came within the timeout. */
static inline bool flow_was_in_time(const struct flow *flow, uint64_t sequence)
{
	return window_state(&flow->window, sequence) == SLOT_ANSWERED;
}

/* Of a sequence that is held. */
static inline uint64_t flow_sent_at(const struct flow *flow, uint64_t sequence)
{
	return window_time(&flow->window, sequence);
}

/* The next probe, whose round trip counts from TIME. */
uint64_t flow_send(struct flow *flow, uint64_t time);

/* One that waits is sent only now: its round trip counts from TIME. */
static inline void flow_restamp(struct flow *flow, uint64_t sequence, uint64_t time)
{
	window_restamp(&flow->window, sequence, time);
}

/* A sequence that the window holds, as it was sent. */
static inline struct probe flow_probe(const struct flow *flow, uint64_t sequence)
{
	return (struct probe){flow->run, sequence, flow_sent_at(flow, sequence)};
}

/* A reply of BYTES to a sequence that the window holds came at NOW; *RTT is set in every case. */
enum fate flow_reply(struct flow *flow, uint64_t sequence, const struct finding *finding,
		     size_t bytes, uint64_t now, uint64_t *rtt);

/*
 * As many replies at the beginning of DATA as are whole, intact, in order and in time: enters them,
 * and returns how many bytes they are. 0 when the first one is not: it wants a closer look. LENGTH
 * is at least the size of a probe. Nearly everything of a fast run goes this way.
 */
size_t flow_reply_train(struct flow *flow, const unsigned char *data, size_t length, uint64_t now);

/* Gives up a waiting sequence. */
void flow_lose(struct flow *flow, uint64_t sequence);

/* The oldest that waits has waited for the timeout. */
bool flow_overdue(const struct flow *flow, uint64_t now);

/* Gives up all that have. */
void flow_expire(struct flow *flow, uint64_t now);

/* Gives up all that wait. */
void flow_lose_all(struct flow *flow);

/* A finding about two bytes that differ at OFFSET, or about an end. */
struct finding finding_corrupt(uint64_t offset, int expected, int got);
struct finding finding_truncated(uint64_t offset);

/*
 * The sequence that a datagram is the reply to, and how it differs: by its header, or if that was
 * altered, by send time, or else the oldest that waits. 0 when it belongs to none.
 */
uint64_t flow_judge_datagram(const struct flow *flow, const unsigned char *data, size_t length,
			     struct finding *finding);
