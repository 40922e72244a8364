/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The keeper of the books of one conversation: enters each probe once, when its fate is known. Owns
 * the window; ping has one flow, bench one for each connection.
 */

#include "config.h"

#include "probe/flow.h"

#include <string.h>

int flow_init(struct flow *flow, uint64_t run, size_t size, size_t window, struct books *books)
{
	memset(flow, 0, sizeof(*flow));
	flow->run = run;
	flow->size = size;
	flow->timeout = UINT64_MAX;
	flow->books = books;
	return window_init(&flow->window, window);
}

void flow_clear(struct flow *flow)
{
	window_clear(&flow->window);
}

uint64_t flow_send(struct flow *flow, uint64_t time)
{
	if (window_full(&flow->window))
		flow_lose(flow, flow_oldest(flow));
	return window_push(&flow->window, time);
}

static void enter_received(struct flow *flow, uint64_t sequence, const struct finding *finding,
			   size_t bytes, uint64_t rtt)
{
	struct books *books = flow->books;

	window_settle(&flow->window, sequence, SLOT_ANSWERED);
	books->sent++;
	books->received++;
	books->bytes += bytes;
	books->corrupt += finding->verdict == VERDICT_CORRUPT;
	books->truncated += finding->verdict == VERDICT_TRUNCATED;
	if (sequence < flow->highest)
		books->out_of_order++;
	else
		flow->highest = sequence;
	latency_add(&books->latency, rtt, 1);
	jitter_add(&flow->jitter, rtt, 1);
}

enum fate flow_reply(struct flow *flow, uint64_t sequence, const struct finding *finding,
		     size_t bytes, uint64_t now, uint64_t *rtt)
{
	uint64_t sent = window_time(&flow->window, sequence);

	*rtt = now > sent ? now - sent : 0;
	if (*rtt > flow->timeout && window_state(&flow->window, sequence) == SLOT_WAITING)
		flow_lose(flow, sequence); /* we were too slow to give it up in time */
	switch (window_state(&flow->window, sequence)) {
	case SLOT_WAITING:
		enter_received(flow, sequence, finding, bytes, *rtt);
		return FATE_RECEIVED;
	case SLOT_LOST:
		window_answer_late(&flow->window, sequence); /* its place is with the lost */
		flow->books->late++;
		return FATE_LATE;
	case SLOT_ANSWERED:
	case SLOT_LATE:
	default:
		flow->books->duplicates++;
		flow->books->unexpected += finding->verdict != VERDICT_INTACT;
		return FATE_DUPLICATE;
	}
}

/* COUNT replies from FIRST on, in order, intact and in time. */
static void enter_train(struct flow *flow, const struct probe *first, uint64_t count, uint64_t rtt)
{
	struct books *books = flow->books;

	window_answer(&flow->window, first->sequence, count, first->time);
	books->sent += count;
	books->received += count;
	books->bytes += count * flow->size;
	flow->highest = first->sequence + count - 1;
	latency_add(&books->latency, rtt, count);
	jitter_add(&flow->jitter, rtt, count);
}

/* How many in a row are what is awaited, all of them sent when the first one was. */
static uint64_t count_intact(const struct flow *flow, const struct probe *first,
			     const unsigned char *data, size_t length)
{
	struct probe probe = *first;

	while (length >= flow->size && window_awaits(&flow->window, probe.sequence, probe.time) &&
	       probe_match(&probe, 0, data, flow->size) == flow->size) {
		data += flow->size;
		length -= flow->size;
		probe.sequence++;
	}
	return probe.sequence - first->sequence;
}

size_t flow_reply_train(struct flow *flow, const unsigned char *data, size_t length, uint64_t now)
{
	uint64_t sequence = probe_sequence(data);
	struct probe first;
	uint64_t count;

	if (sequence < flow->highest || !window_holds(&flow->window, sequence))
		return 0;
	first = flow_probe(flow, sequence);
	if (now < first.time || now - first.time > flow->timeout)
		return 0;
	count = count_intact(flow, &first, data, length);
	if (count > 0)
		enter_train(flow, &first, count, now - first.time);
	return (size_t)count * flow->size;
}

void flow_lose(struct flow *flow, uint64_t sequence)
{
	window_settle(&flow->window, sequence, SLOT_LOST);
	flow->books->sent++;
	flow->books->lost++;
}

bool flow_overdue(const struct flow *flow, uint64_t now)
{
	uint64_t sent = flow_sent_at(flow, flow_oldest(flow));

	return flow_waiting(flow) > 0 && now > sent && now - sent >= flow->timeout;
}

void flow_expire(struct flow *flow, uint64_t now)
{
	while (flow_overdue(flow, now))
		flow_lose(flow, flow_oldest(flow));
}

void flow_lose_all(struct flow *flow)
{
	while (flow_waiting(flow) > 0)
		flow_lose(flow, flow_oldest(flow));
}

uint64_t flow_settled(const struct flow *flow, uint64_t *next, uint64_t until)
{
	while (*next < until) {
		uint64_t sequence = (*next)++;

		if (flow_holds(flow, sequence) && !flow_awaits(flow, sequence))
			return sequence;
	}
	return 0;
}

struct finding finding_corrupt(uint64_t offset, int expected, int got)
{
	return (struct finding){VERDICT_CORRUPT, offset, expected, got, 0};
}

struct finding finding_truncated(uint64_t offset)
{
	return (struct finding){VERDICT_TRUNCATED, offset, -1, -1, 0};
}

/* What follows the header belongs to SEQUENCE, as far as it goes. */
static bool has_body_of(const struct flow *flow, uint64_t sequence, const unsigned char *data,
			size_t length)
{
	struct probe probe = flow_probe(flow, sequence);
	size_t body = (length < flow->size ? length : flow->size) - PROBE_HEADER_SIZE;

	return probe_match(&probe, PROBE_HEADER_SIZE, data + PROBE_HEADER_SIZE, body) == body;
}

/* Many are sent at the same time: only the body distinguishes them. */
static uint64_t find_by_body(const struct flow *flow, uint64_t time, const unsigned char *data,
			     size_t length)
{
	uint64_t sequence = flow_next(flow);

	do
		sequence = window_find(&flow->window, time, sequence);
	while (sequence != 0 && !has_body_of(flow, sequence, data, length));
	return sequence;
}

/* Two of run, sequence and time must fit: so a flipped bit in any of them still finds its probe. */
static uint64_t identify(const struct flow *flow, const unsigned char *data, size_t length)
{
	const struct window *window = &flow->window;
	struct probe got;
	bool has_magic = probe_read(data, &got);
	bool is_held = window_holds(window, got.sequence);
	bool fits = is_held && window_time(window, got.sequence) == got.time;
	uint64_t sequence;

	if (!fits && got.run != flow->run)
		return has_magic ? 0 : flow_oldest_waiting(flow); /* of another run, or stale */
	if (fits && has_body_of(flow, got.sequence, data, length))
		return got.sequence;
	sequence = find_by_body(flow, got.time, data, length);
	if (sequence == 0 && !fits)
		sequence = window_find(window, got.time, flow_next(flow));
	if (sequence != 0)
		return sequence;
	if (is_held)
		return got.sequence;
	return has_magic ? 0 : flow_oldest_waiting(flow);
}

static uint64_t attribute(const struct flow *flow, const unsigned char *data, size_t length)
{
	uint64_t sequence;

	if (length >= PROBE_HEADER_SIZE)
		return identify(flow, data, length);
	if (length < PROBE_IDENTITY_SIZE + 8)
		return flow_oldest_waiting(flow);
	sequence = probe_sequence(data);
	return window_holds(&flow->window, sequence) ? sequence : flow_oldest_waiting(flow);
}

static struct finding compare(const struct flow *flow, uint64_t sequence, const unsigned char *data,
			      size_t length)
{
	struct probe probe = flow_probe(flow, sequence);
	size_t checked = length < flow->size ? length : flow->size;
	size_t same = probe_match(&probe, 0, data, checked);

	if (same < checked)
		return finding_corrupt(same, probe_byte(&probe, same), data[same]);
	if (length < flow->size)
		return finding_truncated(length);
	if (length > flow->size)
		return finding_corrupt(flow->size, -1, data[flow->size]);
	return (struct finding){.verdict = VERDICT_INTACT};
}

uint64_t flow_judge_datagram(const struct flow *flow, const unsigned char *data, size_t length,
			     struct finding *finding)
{
	uint64_t sequence = attribute(flow, data, length);

	if (sequence != 0)
		*finding = compare(flow, sequence, data, length);
	return sequence;
}
