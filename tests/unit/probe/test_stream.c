/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Replies out of a byte stream, however it is cut into pieces, and the verdict on a broken one:
 * each test runs with pieces of every size from one byte on.
 */

#include "config.h"

#include "probe/flow.h"
#include "probe/stream.h"
#include "support/test.h"

#define SIZE 48
#define PROBES 6
#define STREAM_MAX 2000
#define LONG_TEXT "a text of forty bytes, more than a header"

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

/*
 * What arrives: a number is the reply with that sequence, anything else a text. What is reported: I
 * or C (intact, corrupt) and the sequence.
 */
static const struct {
	const char *name, *arrives[8], *reported;
	size_t altered;	 /* a byte of it, if not 0 */
	size_t inserted; /* before each that is corrupt, if not 0 */
} cases[] = {
	{"whole replies", {"1", "2", "3", "4", "5", "6"}, .reported = "I1 I2 I3 I4 I5 I6 "},
	{"one left out", {"1", "3", "4"}, .reported = "I1 I3 I4 "},
	{"one twice", {"1", "2", "2", "3"}, .reported = "I1 I2 I2 I3 "},
	{"the last twice",
	 {"1", "2", "3", "4", "5", "6", "6"},
	 .reported = "I1 I2 I3 I4 I5 I6 I6 "},
	{"two that changed places", {"1", "3", "2", "4"}, .reported = "I1 I3 I2 I4 "},
	{"an old one", {"1", "2", "3", "1", "4"}, "I1 I2 I3 I1 C4 ", .altered = 4 * SIZE},
	{"a greeting", {"220 welcome", "1", "2"}, "C1 I2 ", .inserted = 11},
	{"a greeting longer than a reply",
	 {"220 " LONG_TEXT LONG_TEXT, "1", "2"},
	 .reported = "C1 I2 "},
	{"a prefix", {"> ", "1", "> ", "2", "> ", "3", "> ", "4"}, "C1 C2 C3 C4 ", .inserted = 2},
};

static void expect_reported(size_t row)
{
	char text[64] = "";
	size_t used = 0;

	for (unsigned i = 0; i < event_count; i++) {
		bool intact = events[i].finding.verdict == VERDICT_INTACT;

		ck_assert(intact || events[i].finding.verdict == VERDICT_CORRUPT);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%c%u ",
					 intact ? 'I' : 'C', (unsigned)events[i].sequence);
		if (!intact && cases[row].inserted > 0)
			ck_assert_uint_eq(events[i].finding.inserted, cases[row].inserted);
	}
	ck_assert_msg(strcmp(text, cases[row].reported) == 0, "%s: %s", cases[row].name, text);
}

TEST_EACH(replies_come_out_in_order_whatever_is_wrong_with_some, SIZE + 10)
{
	for (size_t row = 0; row < ARRAY_SIZE(cases); row++) {
		const char *const *arrives = cases[row].arrives;

		start();
		for (size_t i = 0; i < ARRAY_SIZE(cases[0].arrives) && arrives[i]; i++) {
			if (strlen(arrives[i]) == 1)
				put(strtoull(arrives[i], NULL, 10));
			else
				put_text(arrives[i]);
		}
		if (cases[row].altered > 0)
			bytes[cases[row].altered] ^= 1;
		feed(piece_of(_i));
		expect_reported(row);
		if (events[0].finding.verdict == VERDICT_INTACT) {
			ck_assert_uint_eq(stream_unexpected(&stream), 0);
		} else if (cases[row].inserted > 0) {
			ck_assert_uint_eq(events[0].finding.offset, 0);
			ck_assert_int_eq(events[0].finding.got, arrives[0][0]);
		}
	}
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
