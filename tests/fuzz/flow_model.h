/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A second, simpler book-keeping of a flow: every probe that was ever sent, and what became of
 * it; sums are counted anew each time. Part of fuzz_flow.c, which compares.
 */

#pragma once

#include <endian.h>
#include <stdbool.h>

#include "fuzz/fuzz.h"
#include "probe/flow.h"

#define PROBES_MAX 300
#define PROBE_MAX 96

enum state { WAITING, RECEIVED, LOST, LATE };

struct sent {
	uint64_t time;
	enum state state;
	enum verdict verdict; /* of the reply that was received */
	uint64_t rtt;
	size_t bytes;
	bool overtaken; /* by the reply to a later one */
};

static struct {
	size_t size;
	uint64_t timeout;
	uint64_t window;
	uint64_t lag;
	uint64_t run;
	uint64_t count;	  /* of probes sent; the first is 1 */
	uint64_t highest; /* received */
	uint64_t duplicates;
	uint64_t unexpected;
	struct sent sent[PROBES_MAX + 1];
} model;

static bool is_held(uint64_t sequence)
{
	return sequence >= 1 && sequence <= model.count && model.count - sequence < model.window;
}

static bool is_waiting(uint64_t sequence)
{
	return model.sent[sequence].state == WAITING;
}

static uint64_t oldest_waiting(void)
{
	for (uint64_t sequence = 1; sequence <= model.count; sequence++) {
		if (is_waiting(sequence))
			return sequence;
	}
	return 0;
}

static void model_send(uint64_t time)
{
	model.sent[++model.count] = (struct sent){.time = time, .state = WAITING};
	if (model.count > model.window && is_waiting(model.count - model.window))
		model.sent[model.count - model.window].state = LOST;
}

static enum fate model_reply(uint64_t sequence, enum verdict verdict, size_t bytes, uint64_t now)
{
	struct sent *sent = &model.sent[sequence];
	uint64_t rtt = now > sent->time ? now - sent->time : 0;

	if (sent->state == WAITING && rtt > model.timeout)
		sent->state = LOST;
	if (sent->state == LOST) {
		sent->state = LATE;
		return FATE_LATE;
	}
	if (sent->state != WAITING) {
		model.duplicates++;
		model.unexpected += verdict != VERDICT_INTACT;
		return FATE_DUPLICATE;
	}
	*sent = (struct sent){sent->time, RECEIVED, verdict, rtt, bytes, sequence < model.highest};
	model.highest = sent->overtaken ? model.highest : sequence;
	return FATE_RECEIVED;
}

static void model_expire(uint64_t now)
{
	for (uint64_t sequence = 1; sequence <= model.count; sequence++) {
		const struct sent *sent = &model.sent[sequence];

		if (sent->state != WAITING)
			continue;
		if (now <= sent->time || now - sent->time < model.timeout)
			break; /* they are given up in their order */
		model.sent[sequence].state = LOST;
	}
}

static void write_sent(uint64_t sequence, unsigned char data[static PROBE_MAX])
{
	struct probe probe = {model.run, sequence, model.sent[sequence].time};

	probe_write(&probe, 0, data, model.size);
}

/* The bytes of SEQUENCE behind the header, as far as there are any, are those in DATA. */
static bool body_is_of(uint64_t sequence, const unsigned char *data, size_t length)
{
	unsigned char sent[PROBE_MAX];
	size_t end = length < model.size ? length : model.size;

	write_sent(sequence, sent);
	return memcmp(data + PROBE_HEADER_SIZE, sent + PROBE_HEADER_SIZE,
		      end - PROBE_HEADER_SIZE) == 0;
}

/* The latest that was sent at TIME, and has the body in DATA unless that is NULL. */
static uint64_t latest_of(uint64_t time, const unsigned char *data, size_t length)
{
	for (uint64_t sequence = model.count; is_held(sequence); sequence--) {
		if (model.sent[sequence].time == time &&
		    (!data || body_is_of(sequence, data, length)))
			return sequence;
	}
	return 0;
}

/* Sequence and time agree, or else two of run, sequence, time and body do. */
static uint64_t model_attribute(const unsigned char *data, size_t length)
{
	struct probe got;
	bool ours, complete;
	uint64_t found, otherwise;

	if (length < PROBE_IDENTITY_SIZE + 8)
		return oldest_waiting();
	memcpy(&got.sequence, data + PROBE_IDENTITY_SIZE, sizeof(got.sequence));
	got.sequence = le64toh(got.sequence);
	if (length < PROBE_HEADER_SIZE)
		return is_held(got.sequence) ? got.sequence : oldest_waiting();
	otherwise = probe_read(data, &got) ? 0 : oldest_waiting();
	ours = got.run == model.run;
	complete = is_held(got.sequence) && model.sent[got.sequence].time == got.time;
	if (!ours && !complete)
		return otherwise;
	if (complete && body_is_of(got.sequence, data, length))
		return got.sequence;
	found = latest_of(got.time, data, length);
	if (found == 0 && !complete)
		found = latest_of(got.time, NULL, 0);
	if (found != 0)
		return found;
	return is_held(got.sequence) ? got.sequence : otherwise;
}

static struct finding model_compare(uint64_t sequence, const unsigned char *data, size_t length)
{
	unsigned char sent[PROBE_MAX];

	write_sent(sequence, sent);
	for (size_t i = 0; i < length && i < model.size; i++) {
		if (data[i] != sent[i])
			return finding_corrupt(i, sent[i], data[i]);
	}
	if (length < model.size)
		return finding_truncated(length);
	if (length > model.size)
		return finding_corrupt(model.size, -1, data[model.size]);
	return (struct finding){.verdict = VERDICT_INTACT};
}

static void check_latency(const struct latency *latency)
{
	uint64_t min = UINT64_MAX, max = 0, count = 0;

	for (uint64_t sequence = 1; sequence <= model.count; sequence++) {
		const struct sent *sent = &model.sent[sequence];

		if (sent->state != RECEIVED)
			continue;
		count++;
		min = sent->rtt < min ? sent->rtt : min;
		max = sent->rtt > max ? sent->rtt : max;
	}
	FUZZ_CHECK(latency->count == count && latency->max == max);
	FUZZ_CHECK(count == 0 || latency->min == min);
}

/* Every figure that the flow or its books give. */
static void check_all(const struct flow *flow)
{
	uint64_t states[4] = {0}, verdicts[3] = {0}, bytes = 0, overtaken = 0, due = 0;
	const struct books *books = flow->books;

	for (uint64_t sequence = 1; sequence <= model.count; sequence++) {
		const struct sent *sent = &model.sent[sequence];

		states[sent->state]++;
		due += sent->state == WAITING && model.count + 1 - sequence <= model.lag;
		if (sent->state != RECEIVED)
			continue;
		verdicts[sent->verdict]++;
		bytes += sent->bytes;
		overtaken += sent->overtaken;
	}
	FUZZ_CHECK(books_balance(books));
	FUZZ_CHECK(books->sent == model.count - states[WAITING]);
	FUZZ_CHECK(books->received == states[RECEIVED] && books->bytes == bytes);
	FUZZ_CHECK(books->lost == states[LOST] + states[LATE] && books->late == states[LATE]);
	FUZZ_CHECK(books->corrupt == verdicts[VERDICT_CORRUPT]);
	FUZZ_CHECK(books->truncated == verdicts[VERDICT_TRUNCATED]);
	FUZZ_CHECK(books->out_of_order == overtaken);
	FUZZ_CHECK(books->duplicates == model.duplicates && books->unexpected == model.unexpected);
	FUZZ_CHECK(flow_waiting(flow) == states[WAITING] && flow_outstanding(flow) == due);
	FUZZ_CHECK(flow_oldest_waiting(flow) == oldest_waiting());
	FUZZ_CHECK(flow_next(flow) == model.count + 1);
	check_latency(&books->latency);
}
