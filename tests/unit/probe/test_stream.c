/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Replies out of a byte stream, however it is cut into pieces, and what a broken stream is called:
 * each test runs with pieces of every size from one byte on.
 */

#include "config.h"

#include "probe/flow.h"
#include "probe/stream.h"
#include "support/test.h"

#define SIZE 48
#define PROBES 6
#define STREAM_MAX 2000

struct event {
	uint64_t sequence;
	struct finding finding;
};

static struct books books;
static struct flow flow;
static struct stream stream;
static struct event events[100];
static unsigned event_count;
static unsigned char bytes[STREAM_MAX];
static size_t length;

static void on_message(void *context UNUSED, uint64_t sequence, const struct finding *finding,
		       size_t size UNUSED)
{
	events[event_count++] = (struct event){sequence, *finding};
}

static void start(void)
{
	probe_prepare();
	books_clear(&books);
	flow_clear(&flow); /* of the round before, where a test has several */
	ck_assert_int_eq(flow_init(&flow, 4711, SIZE, 64, &books), 0);
	stream_start(&stream, &flow);
	for (unsigned i = 0; i < PROBES; i++)
		flow_send(&flow, 1000 + i);
	event_count = 0;
	length = 0;
}

static void end(void)
{
	flow_clear(&flow);
}

/* Adds bytes FROM up to TO of a probe to what will come. */
static void put_part(uint64_t sequence, size_t from, size_t to)
{
	struct probe probe = flow_probe(&flow, sequence);

	probe_write(&probe, from, bytes + length, to - from);
	length += to - from;
}

static void put(uint64_t sequence)
{
	put_part(sequence, 0, SIZE);
}

static void put_text(const char *text)
{
	memcpy(bytes + length, text, strlen(text));
	length += strlen(text);
}

/* Takes it in, PIECE bytes at a time. */
static void feed(size_t piece)
{
	for (size_t at = 0; at < length; at += piece) {
		size_t rest = length - at;

		stream_feed(&stream, bytes + at, rest < piece ? rest : piece, on_message, NULL);
	}
}

static void expect(unsigned at, uint64_t sequence, enum verdict verdict)
{
	ck_assert_uint_lt(at, event_count);
	ck_assert_uint_eq(events[at].sequence, sequence);
	ck_assert_int_eq(events[at].finding.verdict, verdict);
}

static size_t piece_of(int i)
{
	return (size_t)i + 1;
}

TEST_CASE("stream", start, end);

TEST_EACH(whole_replies_come_out_in_order, SIZE + 10)
{
	for (uint64_t i = 1; i <= PROBES; i++)
		put(i);
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, PROBES);
	for (unsigned i = 0; i < PROBES; i++)
		expect(i, i + 1, VERDICT_INTACT);
	ck_assert_uint_eq(stream_unexpected(&stream), 0);
}

TEST_EACH(a_flipped_bit_is_one_corrupt_reply, 3)
{
	for (unsigned bit = 0; bit < SIZE * 8; bit++) {
		start();
		put(1);
		put(2);
		put(3);
		bytes[SIZE + bit / 8] ^= (unsigned char)(1 << bit % 8);
		feed(piece_of(_i));
		ck_assert_uint_eq(event_count, 3);
		expect(0, 1, VERDICT_INTACT);
		expect(1, 2, VERDICT_CORRUPT);
		ck_assert_uint_eq(events[1].finding.offset, bit / 8);
		expect(2, 3, VERDICT_INTACT);
		end();
	}
	start();
}

TEST_EACH(a_greeting_makes_the_first_reply_corrupt_and_says_why, SIZE + 10)
{
	put_text("220 welcome");
	put(1);
	put(2);
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 2);
	expect(0, 1, VERDICT_CORRUPT);
	ck_assert_uint_eq(events[0].finding.offset, 0);
	ck_assert_int_eq(events[0].finding.got, '2');
	ck_assert_uint_eq(events[0].finding.inserted, 11);
	expect(1, 2, VERDICT_INTACT);
}

TEST_EACH(a_greeting_longer_than_a_probe_is_one_corrupt_reply, SIZE + 10)
{
	put_text("This is a very long greeting, longer than a probe of this run is, by far.");
	put(1);
	put(2);
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 2);
	expect(0, 1, VERDICT_CORRUPT);
	expect(1, 2, VERDICT_INTACT);
}

TEST_EACH(a_greeting_before_the_first_probe_is_found_with_its_reply, 8)
{
	end();
	ck_assert_int_eq(flow_init(&flow, 4711, SIZE, 64, &books), 0);
	stream_start(&stream, &flow);
	put_text("hello");
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 0);
	ck_assert_uint_eq(stream_unexpected(&stream), 5);
	length = 0;
	flow_send(&flow, 1000);
	put(1);
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 1);
	expect(0, 1, VERDICT_CORRUPT);
	ck_assert_uint_eq(events[0].finding.inserted, 5);
	ck_assert_int_eq(events[0].finding.got, 'h');
}

TEST_EACH(a_prefix_makes_every_reply_corrupt, SIZE + 10)
{
	for (uint64_t i = 1; i <= 4; i++) {
		put_text("> ");
		put(i);
	}
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 4);
	for (unsigned i = 0; i < 4; i++) {
		expect(i, i + 1, VERDICT_CORRUPT);
		ck_assert_uint_eq(events[i].finding.inserted, 2);
	}
}

TEST_EACH(bytes_left_out_are_a_truncated_reply, 3)
{
	for (size_t cut = 1; cut < SIZE; cut++) {
		start();
		put(1);
		put_part(2, 0, cut);
		put(3);
		put(4);
		feed(piece_of(_i));
		ck_assert_uint_eq(event_count, 4);
		expect(0, 1, VERDICT_INTACT);
		expect(1, 2, VERDICT_TRUNCATED);
		ck_assert_uint_eq(events[1].finding.offset, cut);
		expect(2, 3, VERDICT_INTACT);
		expect(3, 4, VERDICT_INTACT);
		end();
	}
	start();
}

TEST_EACH(a_reply_left_out_does_not_harm_the_others, SIZE + 10)
{
	put(1);
	put(3);
	put(4);
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 3);
	expect(0, 1, VERDICT_INTACT);
	expect(1, 3, VERDICT_INTACT);
	expect(2, 4, VERDICT_INTACT);
}

TEST_EACH(a_reply_that_comes_twice_is_told_twice, SIZE + 10)
{
	put(1);
	put(2);
	put(2);
	put(3);
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 4);
	expect(1, 2, VERDICT_INTACT);
	expect(2, 2, VERDICT_INTACT);
	expect(3, 3, VERDICT_INTACT);
}

TEST_EACH(the_last_reply_twice_is_told_twice, SIZE + 10)
{
	for (uint64_t i = 1; i <= PROBES; i++)
		put(i);
	put(PROBES);
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, PROBES + 1);
	expect(PROBES, PROBES, VERDICT_INTACT);
	ck_assert_uint_eq(stream_unexpected(&stream), 0);
}

TEST_EACH(replies_that_changed_places_are_all_found, SIZE + 10)
{
	put(1);
	put(3);
	put(2);
	put(4);
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 4);
	expect(1, 3, VERDICT_INTACT);
	expect(2, 2, VERDICT_INTACT);
	expect(3, 4, VERDICT_INTACT);
}

TEST_EACH(an_old_reply_does_not_change_what_is_due, SIZE + 10)
{
	put(1);
	put(2);
	put(3);
	put(1);
	put(4);
	bytes[4 * SIZE] ^= 1;
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 5);
	expect(3, 1, VERDICT_INTACT);
	expect(4, 4, VERDICT_CORRUPT);
}

TEST_EACH(a_part_of_a_reply_is_known_as_such, SIZE + 10)
{
	struct finding finding;

	put(1);
	put_part(2, 0, 20);
	feed(piece_of(_i));
	ck_assert_uint_eq(stream_partial(&stream, 1, &finding), 0);
	ck_assert_uint_eq(stream_partial(&stream, 2, &finding), 20);
	ck_assert_int_eq(finding.verdict, VERDICT_TRUNCATED);
	ck_assert_uint_eq(finding.offset, 20);
	length = 0;
	put(3);
	feed(piece_of(_i));
	ck_assert_uint_eq(event_count, 3);
	expect(1, 2, VERDICT_TRUNCATED);
	expect(2, 3, VERDICT_INTACT);
}
