/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Replies out of a byte stream. Two states: following the probe whose bytes must come now, or
 * astray, looking for the next header byte by byte. Owns nothing; one for each TCP connection.
 */

#include "config.h"

#include "probe/stream.h"

#include <string.h>

void stream_start(struct stream *stream, const struct flow *flow)
{
	memset(stream, 0, sizeof(*stream));
	stream->flow = flow;
	stream->sequence = flow_oldest(flow);
	stream->following = stream->sequence + 1;
}

static bool is_due(const struct stream *stream)
{
	return flow_holds(stream->flow, stream->sequence);
}

static void begin(struct stream *stream, uint64_t sequence, size_t at)
{
	stream->sequence = sequence;
	stream->at = at;
	stream->finding = (struct finding){.verdict = VERDICT_INTACT};
	stream->muted = false;
	stream->astray = false;
	stream->junk = 0;
	stream->matched = 0;
}

static void finish(struct stream *stream, stream_message *message, void *context)
{
	struct finding finding = stream->finding;
	uint64_t sequence = stream->sequence;
	size_t bytes = stream->at;
	bool muted = stream->muted;

	begin(stream, stream->following, 0);
	stream->following++;
	if (!muted)
		message(context, sequence, &finding, bytes);
}

/* The header that was found, if it is one of ours whole; a flipped bit may make it look like it. */
static uint64_t held_sequence(const struct stream *stream)
{
	struct probe probe;

	if (!probe_read(stream->header, &probe) || !flow_holds(stream->flow, probe.sequence) ||
	    flow_sent_at(stream->flow, probe.sequence) != probe.time)
		return 0;
	return probe.sequence;
}

/* Nothing in the bytes collected so far contradicts that they are a header of ours. */
static bool may_be_header(const struct stream *stream)
{
	struct probe probe = {.run = stream->flow->run};
	unsigned char expected[PROBE_HEADER_SIZE];
	size_t fixed = stream->matched;

	probe_header(&probe, expected);
	if (fixed > PROBE_IDENTITY_SIZE)
		fixed = PROBE_IDENTITY_SIZE;
	if (memcmp(stream->header, expected, fixed) != 0)
		return false;
	return stream->matched < PROBE_HEADER_SIZE || held_sequence(stream) != 0;
}

/* The next byte of the header that seems to come; true when it is whole. It may begin anywhere. */
static bool match_header(struct stream *stream, unsigned char byte)
{
	stream->header[stream->matched++] = byte;
	while (stream->matched > 0 && !may_be_header(stream)) {
		stream->matched--;
		memmove(stream->header, stream->header + 1, stream->matched);
	}
	return stream->matched == PROBE_HEADER_SIZE;
}

/* A probe may be left out in the middle and the next begin with bytes that happened to fit. */
static void go_astray(struct stream *stream, const struct probe *probe)
{
	size_t back = stream->at < PROBE_HEADER_SIZE ? stream->at : PROBE_HEADER_SIZE - 1;

	stream->astray = true;
	stream->matched = 0;
	for (size_t i = stream->at - back; i < stream->at; i++)
		(void)match_header(stream, probe_byte(probe, i));
}

/* Compares with what must come; how many bytes were used up. */
static size_t follow(struct stream *stream, const unsigned char *data, size_t length)
{
	size_t wanted = stream->flow->size - stream->at;
	struct probe probe;
	size_t same;

	if (!is_due(stream)) {
		probe = (struct probe){.run = stream->flow->run};
		stream->finding = finding_corrupt(0, probe_byte(&probe, 0), *data);
		stream->astray = true;
		return 0;
	}
	probe = flow_probe(stream->flow, stream->sequence);
	if (length > wanted)
		length = wanted;
	same = probe_match(&probe, stream->at, data, length);
	stream->at += same;
	if (same < length) {
		if (stream->finding.verdict == VERDICT_INTACT)
			stream->finding = finding_corrupt(
				stream->at, probe_byte(&probe, stream->at), data[same]);
		go_astray(stream, &probe);
	}
	return same;
}

/* The header of SEQUENCE came where another probe's bytes were due, GAP bytes into that one. */
static void found(struct stream *stream, uint64_t sequence, size_t gap, stream_message *message,
		  void *context)
{
	struct finding finding = stream->finding;
	uint64_t inserted = stream->junk + gap;
	uint64_t due = stream->sequence;
	bool muted = sequence == stream->unseen;

	if (sequence > due && gap > 0 && is_due(stream)) {
		if (finding.offset >= gap)
			finding = finding_truncated(gap);
		stream->finding = finding;
		stream->at = gap;
		finish(stream, message, context);
	}
	begin(stream, sequence, PROBE_HEADER_SIZE);
	stream->muted = muted;
	stream->unseen = muted ? 0 : stream->unseen;
	stream->following = sequence >= due ? sequence + 1 : due;
	if (sequence == due && inserted > 0) {
		stream->finding = finding;
		stream->finding.verdict = VERDICT_CORRUPT;
		stream->finding.inserted = inserted;
	}
}

/*
 * The reply is as long as it has to be, and no header began in it that is still complete. One may
 * have begun behind it: these bytes are the first of the next reply.
 */
static void settle_by_size(struct stream *stream, stream_message *message, void *context)
{
	unsigned char begun[PROBE_HEADER_SIZE];
	size_t count = stream->matched;

	memcpy(begun, stream->header, count);
	stream->unseen = stream->sequence;
	stream->at = stream->flow->size;
	finish(stream, message, context);
	stream_feed(stream, begun, count, message, context);
}

/* Takes one byte that does not fit; at the end of the probe's size the next one gets its chance. */
static void search(struct stream *stream, unsigned char byte, stream_message *message,
		   void *context)
{
	bool due = is_due(stream);
	bool whole = match_header(stream, byte);

	if (due)
		stream->at++;
	else
		stream->junk++;
	if (whole) {
		size_t begun = stream->at < PROBE_HEADER_SIZE ? stream->at : PROBE_HEADER_SIZE;

		stream->junk -= PROBE_HEADER_SIZE - begun;
		found(stream, held_sequence(stream), stream->at - begun, message, context);
		return;
	}
	if (due && stream->at >= stream->flow->size + stream->matched)
		settle_by_size(stream, message, context);
}

void stream_feed(struct stream *stream, const unsigned char *data, size_t length,
		 stream_message *message, void *context)
{
	while (length > 0) {
		size_t used = 1;

		if (stream->astray)
			search(stream, *data, message, context);
		else
			used = follow(stream, data, length);
		data += used;
		length -= used;
		if (!stream->astray && stream->at == stream->flow->size)
			finish(stream, message, context);
	}
}

size_t stream_partial(const struct stream *stream, uint64_t sequence, struct finding *finding)
{
	if (stream->sequence != sequence || stream->muted || stream->at == 0)
		return 0;
	*finding = stream->finding;
	if (finding->verdict == VERDICT_INTACT)
		*finding = finding_truncated(stream->at);
	return stream->at;
}

uint64_t stream_unexpected(const struct stream *stream)
{
	return is_due(stream) ? 0 : stream->junk;
}

void stream_count_unexpected(const struct stream *stream)
{
	stream->flow->books->unexpected += stream_unexpected(stream) > 0;
}
