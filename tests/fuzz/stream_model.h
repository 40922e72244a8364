/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A second, simpler reading of a stream of replies, all of it at hand: which messages it has to
 * give. Part of fuzz_stream_feed.c, which compares.
 */

#pragma once

#include <stdbool.h>

#include "fuzz/fuzz.h"
#include "probe/flow.h"

#define STREAM_MAX 4096
#define PROBES_MAX 60
#define PROBE_MAX 256

struct message {
	uint64_t sequence;
	struct finding finding;
	size_t bytes;
};

struct messages {
	size_t count;
	struct message list[STREAM_MAX];
};

/* The stream, and when in it each probe was sent: before the byte at this place came. */
static unsigned char bytes[STREAM_MAX];
static size_t length;
static size_t probe_size;
static uint64_t probe_count;
static size_t sent_before[PROBES_MAX + 1];
static uint64_t sent_time[PROBES_MAX + 1];
static unsigned char probes[PROBES_MAX + 1][PROBE_MAX];

/* The reading: the bytes before PLACE are read, HAD of them as the reply to SEQUENCE. */
static struct {
	size_t place;
	size_t last;  /* the last byte that has come: further on, if the reading went back */
	size_t start; /* of a search: no header begins before it */
	uint64_t sequence, following;
	uint64_t nameless; /* taken for a whole reply without its header */
	size_t had;
	size_t strange; /* bytes that came when nothing was due */
	struct finding finding;
	bool muted;
	struct messages messages;
} model;

static bool was_sent(uint64_t sequence, size_t last)
{
	return sequence >= 1 && sequence <= probe_count && sent_before[sequence] <= last;
}

static bool is_known(uint64_t sequence)
{
	return was_sent(sequence, model.last);
}

/* False at the end. */
static bool next_comes(void)
{
	if (model.place > model.last)
		model.last = model.place;
	return model.place < length;
}

static void await(uint64_t sequence, size_t had)
{
	model.sequence = sequence;
	model.had = had;
	model.finding = (struct finding){.verdict = VERDICT_INTACT};
	model.muted = false;
	model.strange = 0;
}

static void complete(void)
{
	struct messages *messages = &model.messages;

	if (!model.muted)
		messages->list[messages->count++] =
			(struct message){model.sequence, model.finding, model.had};
	await(model.following++, 0);
}

/* Up to the first byte that does not fit; false at the end. */
static bool follow(void)
{
	while (next_comes()) {
		bool due = is_known(model.sequence);
		int expected = due ? probes[model.sequence][model.had] : probes[0][0];
		int got = bytes[model.place];

		if (!due || got != expected) {
			if (model.finding.verdict == VERDICT_INTACT)
				model.finding = finding_corrupt(model.had, expected, got);
			return true;
		}
		model.place++;
		if (++model.had == probe_size)
			complete();
	}
	return false;
}

/* The sequence whose whole header is in the 32 bytes before PLACE; or 0. */
static uint64_t header_before(void)
{
	const unsigned char *header = bytes + model.place - PROBE_HEADER_SIZE;

	if (model.place - model.start < PROBE_HEADER_SIZE)
		return 0;
	for (uint64_t sequence = 1; sequence <= probe_count; sequence++) {
		if (is_known(sequence) && memcmp(header, probes[sequence], PROBE_HEADER_SIZE) == 0)
			return sequence;
	}
	return 0;
}

/* How many of the last bytes before PLACE may be the first ones of a header. */
static size_t header_begun(void)
{
	for (size_t count = PROBE_HEADER_SIZE - 1; count > 0; count--) {
		size_t same = count < PROBE_IDENTITY_SIZE ? count : PROBE_IDENTITY_SIZE;

		if (model.place - model.start >= count &&
		    memcmp(bytes + model.place - count, probes[0], same) == 0)
			return count;
	}
	return 0;
}

/* What came between the reply that was due and the header of SEQUENCE is missing or too much. */
static void resume_at(uint64_t sequence)
{
	size_t inside = model.had < PROBE_HEADER_SIZE ? model.had : PROBE_HEADER_SIZE;
	size_t gap = model.had - inside;
	size_t inserted = model.strange - (PROBE_HEADER_SIZE - inside) + gap;
	uint64_t due = model.sequence;
	struct finding finding = model.finding;

	if (sequence > due && gap > 0 && is_known(due)) {
		if (finding.offset >= gap)
			model.finding = finding_truncated(gap);
		model.had = gap;
		complete();
	}
	await(sequence, PROBE_HEADER_SIZE);
	model.muted = sequence == model.nameless;
	model.nameless = model.muted ? 0 : model.nameless;
	model.following = sequence >= due ? sequence + 1 : due;
	if (sequence == due && inserted > 0) {
		model.finding = finding;
		model.finding.verdict = VERDICT_CORRUPT;
		model.finding.inserted = inserted;
	}
	if (model.had == probe_size)
		complete();
}

/* For a header, or for as many bytes as the reply that is due has. */
static void search(void)
{
	size_t back = model.had < PROBE_HEADER_SIZE ? model.had : PROBE_HEADER_SIZE - 1;

	model.start = model.place - back;
	while (next_comes()) {
		bool due = is_known(model.sequence);
		uint64_t sequence;

		model.place++;
		model.had += due;
		model.strange += !due;
		sequence = header_before();
		if (sequence != 0) {
			resume_at(sequence);
			return;
		}
		if (due && model.had >= probe_size + header_begun()) {
			model.place -= header_begun();
			model.nameless = model.sequence;
			model.had = probe_size;
			complete();
			return;
		}
	}
}

static void read_stream(void)
{
	model.place = 0;
	model.last = 0;
	model.nameless = 0;
	model.following = 2;
	model.messages.count = 0;
	await(1, 0);
	while (follow())
		search();
}
