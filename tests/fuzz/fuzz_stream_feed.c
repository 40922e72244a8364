/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Replies of any bytes on a TCP connection: whole, in parts, altered, repeated, in any order, with
 * anything in between, while more probes are sent. Three readers get them in different cuts: as
 * much as there is, byte by byte, and as the input says. All find the same, and that is what a
 * second, simpler reading of the whole stream finds; a reply without a finding is what was sent.
 */

#include "config.h"

#include "fuzz/stream_model.h"
#include "probe/stream.h"

#define RUN 0x1122334455667788u
#define READERS 3

/* An input is a head, and then any number of steps. */
struct head {
	uint8_t size;	/* this many bytes beyond a header */
	uint8_t window; /* 0: all probes stay in it; else only the latest, which the model omits */
	uint16_t cuts;
};

struct step {
	uint8_t what;
	uint8_t sequence;
	uint8_t from;
	uint8_t count;
};

enum { SEND, WHOLE, PART, FLIP, FORGE, TEXT, STEPS };

struct reader {
	struct books books;
	struct flow flow;
	struct stream stream;
	size_t taken;
	struct messages messages;
};

static struct reader readers[READERS];
static uint32_t cuts;

static void put(const unsigned char *data, size_t count)
{
	if (count > STREAM_MAX - length)
		count = STREAM_MAX - length;
	memcpy(bytes + length, data, count);
	length += count;
}

static void write_probe(uint64_t sequence)
{
	struct probe probe = {RUN, sequence, sent_time[sequence]};

	probe_write(&probe, 0, probes[sequence], probe_size);
}

/* Several at a time may be sent at the same time. */
static void send_probes(const struct step *step)
{
	for (unsigned i = 0; i <= step->count % 4u && probe_count < PROBES_MAX; i++) {
		uint64_t sequence = ++probe_count;

		sent_before[sequence] = length;
		sent_time[sequence] = sent_time[sequence - 1] + (i == 0 ? step->from : 0);
		write_probe(sequence);
	}
}

/* A header with one of its fields changed. */
static void forge(const struct step *step, uint64_t sequence)
{
	unsigned char header[PROBE_HEADER_SIZE];

	memcpy(header, probes[sequence], sizeof(header));
	header[step->from % sizeof(header)] ^= step->count;
	put(header, sizeof(header));
}

static void put_part(const struct step *step, uint64_t sequence)
{
	size_t from = step->from % probe_size;
	size_t count = step->count % (probe_size - from + 1);

	put(probes[sequence] + from, count);
}

/* Returns how many bytes of the input after it the step took. */
static size_t take_step(const struct step *step, const uint8_t *data, size_t size)
{
	uint64_t sequence = probe_count > 0 ? 1 + step->sequence % probe_count : 0;

	switch (step->what % STEPS) {
	case SEND:
		send_probes(step);
		break;
	case WHOLE:
		put(probes[sequence], probe_size);
		break;
	case PART:
		put_part(step, sequence);
		break;
	case FLIP:
		if (step->from < length)
			bytes[length - 1 - step->from] ^= step->count;
		break;
	case FORGE:
		forge(step, sequence);
		break;
	default:
		size = step->count < size ? step->count : size;
		put(data, size);
		return size;
	}
	return 0;
}

static void on_message(void *context, uint64_t sequence, const struct finding *finding,
		       size_t count)
{
	struct reader *reader = context;
	struct messages *messages = &reader->messages;

	FUZZ_CHECK(flow_holds(&reader->flow, sequence) && count <= probe_size);
	FUZZ_CHECK(finding->verdict != VERDICT_INTACT || count == probe_size);
	if (finding->verdict == VERDICT_INTACT && reader == &readers[1])
		FUZZ_CHECK(memcmp(bytes + reader->taken - probe_size, probes[sequence],
				  probe_size) == 0);
	FUZZ_CHECK(messages->count < STREAM_MAX);
	messages->list[messages->count++] = (struct message){sequence, *finding, count};
}

/* How many bytes the reader gets next, of COUNT that have come. */
static size_t piece_of(size_t who, size_t count)
{
	size_t piece;

	if (who == 0)
		return count;
	if (who == 1)
		return 1;
	cuts = cuts * 1664525 + 1013904223;
	piece = 1 + (cuts >> 16) % 100;
	return piece < count ? piece : count;
}

/* Sends what is sent before the next byte; returns the place of the next time. */
static size_t send_due(struct reader *reader)
{
	uint64_t sequence;

	while ((sequence = flow_next(&reader->flow)) <= probe_count) {
		if (sent_before[sequence] > reader->taken)
			return sent_before[sequence];
		FUZZ_CHECK(flow_send(&reader->flow, sent_time[sequence]) == sequence);
	}
	return length;
}

static void read_as(size_t who, size_t window)
{
	struct reader *reader = &readers[who];

	reader->taken = 0;
	reader->messages.count = 0;
	books_clear(&reader->books);
	FUZZ_CHECK(flow_init(&reader->flow, RUN, probe_size, window, &reader->books) == 0);
	stream_start(&reader->stream, &reader->flow);
	for (;;) {
		size_t until = send_due(reader);
		size_t piece;

		if (reader->taken == length)
			break;
		piece = piece_of(who, until - reader->taken);
		reader->taken += piece;
		stream_feed(&reader->stream, bytes + reader->taken - piece, piece, on_message,
			    reader);
	}
}

static bool same_finding(const struct finding *a, const struct finding *b)
{
	return a->verdict == b->verdict && a->offset == b->offset && a->expected == b->expected &&
	       a->got == b->got && a->inserted == b->inserted;
}

static void check_same(const struct messages *a, const struct messages *b)
{
	FUZZ_CHECK(a->count == b->count);
	for (size_t i = 0; i < a->count; i++) {
		FUZZ_CHECK(a->list[i].sequence == b->list[i].sequence);
		FUZZ_CHECK(a->list[i].bytes == b->list[i].bytes);
		FUZZ_CHECK(same_finding(&a->list[i].finding, &b->list[i].finding));
	}
}

/* What is left at the end: a reply in part, or bytes of nobody's. */
static void check_rest(struct reader *reader)
{
	bool due = was_sent(model.sequence, length);
	struct finding finding, expected = model.finding;
	size_t part = model.muted ? 0 : model.had;

	for (uint64_t sequence = 1; sequence <= probe_count; sequence++) {
		size_t count = stream_partial(&reader->stream, sequence, &finding);

		FUZZ_CHECK(count == (sequence == model.sequence ? part : 0));
		if (count == 0)
			continue;
		if (expected.verdict == VERDICT_INTACT)
			expected = finding_truncated(count);
		FUZZ_CHECK(same_finding(&finding, &expected));
	}
	FUZZ_CHECK(stream_unexpected(&reader->stream) == (due ? 0 : model.strange));
	stream_count_unexpected(&reader->stream);
	FUZZ_CHECK(reader->books.unexpected == (!due && model.strange > 0));
}

static void make_stream(const uint8_t *data, size_t size)
{
	struct step step;

	length = 0;
	probe_count = 0;
	sent_time[0] = 0;
	write_probe(0); /* its magic and run are those of all */
	while (size >= sizeof(step)) {
		size_t taken;

		memcpy(&step, data, sizeof(step));
		data += sizeof(step);
		size -= sizeof(step);
		taken = take_step(&step, data, size);
		data += taken;
		size -= taken;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct head head;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	probe_prepare();
	probe_size = PROBE_HEADER_SIZE + head.size % (PROBE_MAX - PROBE_HEADER_SIZE + 1);
	cuts = head.cuts;
	make_stream(data + sizeof(head), size - sizeof(head));
	read_stream();
	for (size_t who = 0; who < READERS; who++) {
		struct reader *reader = &readers[who];

		read_as(who, head.window == 0 ? PROBES_MAX : 1 + head.window % 8u);
		check_same(&reader->messages, &readers[0].messages);
		if (head.window == 0) {
			check_same(&reader->messages, &model.messages);
			check_rest(reader);
		}
		flow_clear(&reader->flow);
	}
	return 0;
}
