/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The books of one flow: each probe is entered once, whatever comes; and whose reply a datagram is,
 * also when it was altered.
 */

#include "config.h"

#include "probe/flow.h"
#include "support/test.h"

#define SIZE 64

static const struct finding intact = {.verdict = VERDICT_INTACT};
static struct books books;
static struct flow flow;

static void start(void)
{
	probe_prepare();
	books_clear(&books);
	ck_assert_int_eq(flow_init(&flow, 77, SIZE, 16, &books), 0);
	flow.timeout = 1000;
}

static void end(void)
{
	ck_assert(books_balance(&books));
	flow_clear(&flow);
}

/* What went out for SEQUENCE. */
static void sent_bytes(uint64_t sequence, unsigned char bytes[static SIZE])
{
	struct probe probe = flow_probe(&flow, sequence);

	probe_write(&probe, 0, bytes, SIZE);
}

static enum fate reply(uint64_t sequence, uint64_t now)
{
	uint64_t rtt;

	return flow_reply(&flow, sequence, &intact, SIZE, now, &rtt);
}

TEST_CASE("flow", start, end);

TEST(a_reply_in_time_is_received)
{
	uint64_t rtt;

	ck_assert_uint_eq(flow_send(&flow, 100), 1);
	ck_assert_int_eq(flow_reply(&flow, 1, &intact, SIZE, 150, &rtt), FATE_RECEIVED);
	ck_assert_uint_eq(rtt, 50);
	ck_assert_uint_eq(books.sent, 1);
	ck_assert_uint_eq(books.received, 1);
	ck_assert(books_clean(&books));
}

/* Unless it was given up before. */
TEST(a_reply_at_the_limits_is_in_time)
{
	uint64_t rtt;

	flow_send(&flow, 100);
	ck_assert_int_eq(flow_reply(&flow, 1, &intact, SIZE, 1100, &rtt), FATE_RECEIVED);
	ck_assert_uint_eq(rtt, 1000);
	flow_send(&flow, 100);
	ck_assert_int_eq(flow_reply(&flow, 2, &intact, SIZE, 99, &rtt), FATE_RECEIVED);
	ck_assert_uint_eq(rtt, 0);
}

TEST(a_reply_after_the_timeout_is_late_and_stays_lost)
{
	flow_send(&flow, 100);
	flow_expire(&flow, 1099);
	ck_assert_uint_eq(books.lost, 0);
	flow_expire(&flow, 1100);
	ck_assert_uint_eq(books.lost, 1);
	ck_assert_int_eq(reply(1, 2000), FATE_LATE);
	ck_assert_int_eq(reply(1, 2001), FATE_DUPLICATE);
	ck_assert_uint_eq(books.sent, 1);
	ck_assert_uint_eq(books.late, 1);
	ck_assert_uint_eq(books.duplicates, 1);
	ck_assert(!books_clean(&books));
}

TEST(late_is_late_also_when_we_noticed_late)
{
	flow_send(&flow, 100);
	ck_assert_int_eq(reply(1, 1200), FATE_LATE);
	ck_assert_uint_eq(books.lost, 1);
	ck_assert_uint_eq(books.received, 0);
}

TEST(a_second_reply_is_a_duplicate)
{
	flow_send(&flow, 100);
	ck_assert_int_eq(reply(1, 110), FATE_RECEIVED);
	ck_assert_int_eq(reply(1, 111), FATE_DUPLICATE);
	ck_assert_uint_eq(books.received, 1);
	ck_assert_uint_eq(books.duplicates, 1);
	ck_assert(books_clean(&books));
}

TEST(overtaken_replies_are_out_of_order)
{
	for (unsigned i = 0; i < 4; i++)
		flow_send(&flow, 100);
	reply(1, 110);
	reply(4, 111);
	reply(2, 112);
	reply(3, 113);
	ck_assert_uint_eq(books.received, 4);
	ck_assert_uint_eq(books.out_of_order, 2);
}

TEST(more_than_the_window_holds_loses_the_oldest)
{
	for (unsigned i = 0; i < 17; i++)
		flow_send(&flow, 100 + i);
	ck_assert_uint_eq(books.lost, 1);
	ck_assert_uint_eq(flow.window.waiting, 16);
	ck_assert_uint_eq(flow.window.oldest, 2);
	ck_assert(!window_holds(&flow.window, 1));
}

TEST(corrupt_and_truncated_are_parts_of_received)
{
	struct finding corrupt = finding_corrupt(3, 1, 2);
	struct finding truncated = finding_truncated(9);
	uint64_t rtt;

	flow_send(&flow, 100);
	flow_send(&flow, 100);
	flow_reply(&flow, 1, &corrupt, SIZE, 110, &rtt);
	flow_reply(&flow, 2, &truncated, 9, 110, &rtt);
	ck_assert_uint_eq(books.received, 2);
	ck_assert_uint_eq(books.corrupt, 1);
	ck_assert_uint_eq(books.truncated, 1);
	ck_assert(!books_clean(&books));
}

TEST(a_flipped_bit_anywhere_is_still_its_probes)
{
	unsigned char bytes[SIZE];
	struct finding finding;

	for (unsigned i = 0; i < 8; i++)
		flow_send(&flow, 5000 + 10 * i);
	sent_bytes(5, bytes);
	for (unsigned bit = 0; bit < SIZE * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_uint_eq(flow_judge_datagram(&flow, bytes, SIZE, &finding), 5);
		ck_assert_int_eq(finding.verdict, VERDICT_CORRUPT);
		ck_assert_uint_eq(finding.offset, bit / 8);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_int_eq(finding.got, bytes[bit / 8] ^ 1 << bit % 8);
		ck_assert_int_eq(finding.expected, bytes[bit / 8]);
	}
}

TEST(among_probes_of_one_time_the_body_decides)
{
	unsigned char bytes[SIZE];
	struct finding finding;

	for (unsigned i = 0; i < 8; i++)
		flow_send(&flow, 5000);
	sent_bytes(5, bytes);
	for (unsigned bit = 0; bit < SIZE * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_uint_eq(flow_judge_datagram(&flow, bytes, SIZE, &finding), 5);
		ck_assert_uint_eq(finding.offset, bit / 8);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
}

/* Short of a sequence it may be anybody's. */
TEST(a_datagram_is_known_by_its_sequence_once_that_is_whole)
{
	unsigned char bytes[SIZE];
	struct finding finding;

	for (uint64_t now = 100; now < 103; now++)
		flow_send(&flow, now);
	sent_bytes(3, bytes);
	for (size_t length = 0; length < SIZE; length++) {
		ck_assert_uint_eq(flow_judge_datagram(&flow, bytes, length, &finding),
				  length < PROBE_IDENTITY_SIZE + 8 ? 1 : 3);
		ck_assert_uint_eq(finding.inserted, 0);
	}
	bytes[PROBE_IDENTITY_SIZE] ^= 1;
	ck_assert_uint_eq(flow_judge_datagram(&flow, bytes, PROBE_HEADER_SIZE, &finding), 3);
	ck_assert_uint_eq(finding.inserted, 0);
}

TEST(short_and_long_datagrams_are_named)
{
	unsigned char bytes[SIZE + 1];
	struct finding finding;

	flow_send(&flow, 100);
	flow_send(&flow, 101);
	sent_bytes(2, bytes);
	bytes[SIZE] = 0x77;
	for (size_t length = PROBE_IDENTITY_SIZE + 8; length < SIZE; length++) {
		ck_assert_uint_eq(flow_judge_datagram(&flow, bytes, length, &finding), 2);
		ck_assert_int_eq(finding.verdict, VERDICT_TRUNCATED);
		ck_assert_uint_eq(finding.offset, length);
		ck_assert_int_eq(finding.expected, -1);
		ck_assert_int_eq(finding.got, -1);
	}
	ck_assert_uint_eq(flow_judge_datagram(&flow, bytes, 0, &finding), 1);
	ck_assert_int_eq(finding.verdict, VERDICT_TRUNCATED);
	ck_assert_uint_eq(flow_judge_datagram(&flow, bytes, SIZE + 1, &finding), 2);
	ck_assert_int_eq(finding.verdict, VERDICT_CORRUPT);
	ck_assert_uint_eq(finding.offset, SIZE);
	ck_assert_int_eq(finding.expected, -1);
	ck_assert_int_eq(finding.got, 0x77);
}

#define TRAIN 8

/* Sequences 1 to TRAIN as they come back together. */
static void send_train(unsigned char bytes[static TRAIN * SIZE])
{
	for (unsigned i = 0; i < TRAIN; i++) {
		uint64_t sequence = flow_send(&flow, 100);

		sent_bytes(sequence, bytes + i * SIZE);
	}
}

TEST(a_train_that_is_intact_is_entered_whole)
{
	unsigned char bytes[TRAIN * SIZE];

	send_train(bytes);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, sizeof(bytes), 150), sizeof(bytes));
	ck_assert_uint_eq(books.sent, TRAIN);
	ck_assert_uint_eq(books.received, TRAIN);
	ck_assert_uint_eq(books.bytes, sizeof(bytes));
	ck_assert_uint_eq(books.latency.count, TRAIN);
	ck_assert_uint_eq(books.latency.min, 50);
	ck_assert_uint_eq(books.latency.max, 50);
	ck_assert_uint_eq(flow.window.waiting, 0);
	ck_assert_uint_eq(flow.window.oldest, TRAIN + 1);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, sizeof(bytes), 160), 0);
	ck_assert(books_clean(&books));
}

TEST(a_train_ends_before_what_differs)
{
	unsigned char bytes[TRAIN * SIZE];
	struct finding finding;

	for (unsigned bit = 0; bit < SIZE * 8; bit++) {
		end();
		start();
		send_train(bytes);
		bytes[2 * SIZE + bit / 8] ^= (unsigned char)(1 << bit % 8);
		ck_assert_uint_eq(flow_reply_train(&flow, bytes, sizeof(bytes), 150), 2 * SIZE);
		ck_assert_uint_eq(flow_reply_train(&flow, bytes + 2 * SIZE, SIZE, 150), 0);
		ck_assert_uint_eq(flow_judge_datagram(&flow, bytes + 2 * SIZE, SIZE, &finding), 3);
		ck_assert_uint_eq(finding.offset, bit / 8);
		ck_assert_uint_eq(flow.window.waiting, TRAIN - 2);
	}
}

TEST(a_train_ends_before_what_is_not_its_turn)
{
	unsigned char bytes[TRAIN * SIZE];

	send_train(bytes);
	memcpy(bytes + 3 * SIZE, bytes + 5 * SIZE, SIZE);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, sizeof(bytes), 150), 3 * SIZE);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes + 5 * SIZE, 3 * SIZE, 150), 3 * SIZE);
	sent_bytes(4, bytes);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, SIZE, 150), 0); /* out of order */
	ck_assert_uint_eq(reply(4, 150), FATE_RECEIVED);
	ck_assert_uint_eq(books.out_of_order, 1);
	ck_assert_uint_eq(flow.window.oldest, 5);
	ck_assert_uint_eq(flow.window.waiting, 1);
}

/* At once, or just in time; nothing of it counts where its first one differs. */
TEST(a_train_is_entered_at_the_limits_of_time)
{
	unsigned char bytes[TRAIN * SIZE];

	send_train(bytes);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, SIZE, 99), 0);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, SIZE - 1, 150), 0);
	ck_assert_uint_eq(books.latency.max, 0);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, SIZE, 100), SIZE);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes + SIZE, SIZE, 1100), SIZE);
	ck_assert_uint_eq(books.latency.max, 1000);
}

TEST(a_train_is_neither_cut_nor_late)
{
	unsigned char bytes[TRAIN * SIZE];

	send_train(bytes);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, sizeof(bytes), 1101), 0);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, 2 * SIZE - 1, 150), SIZE);
	ck_assert_uint_eq(books.received, 1);
}

TEST(a_train_sent_at_several_times_goes_in_parts)
{
	unsigned char bytes[2 * SIZE];

	flow_send(&flow, 100);
	flow_send(&flow, 120);
	sent_bytes(1, bytes);
	sent_bytes(2, bytes + SIZE);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, sizeof(bytes), 150), SIZE);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes + SIZE, SIZE, 150), SIZE);
	ck_assert_uint_eq(books.latency.min, 30);
	ck_assert_uint_eq(books.latency.max, 50);
}

TEST(each_reply_adds_to_the_jitter)
{
	unsigned char bytes[2 * SIZE];

	for (unsigned i = 0; i < 4; i++)
		flow_send(&flow, 100);
	reply(1, 110);
	reply(2, 142);
	ck_assert_double_eq(flow.jitter.value, 2);
	sent_bytes(3, bytes);
	sent_bytes(4, bytes + SIZE);
	ck_assert_uint_eq(flow_reply_train(&flow, bytes, sizeof(bytes), 158), sizeof(bytes));
	ck_assert_uint_eq(flow.jitter.differences, 3);
}

TEST(garbage_is_the_oldest_ones_reply_or_nobodys)
{
	const unsigned char garbage[SIZE] = "HTTP/1.1 400 Bad Request";
	struct finding finding;

	ck_assert_uint_eq(flow_judge_datagram(&flow, garbage, SIZE, &finding), 0);
	flow_send(&flow, 100);
	ck_assert_uint_eq(flow_judge_datagram(&flow, garbage, SIZE, &finding), 1);
	ck_assert_int_eq(finding.verdict, VERDICT_CORRUPT);
	ck_assert_uint_eq(finding.offset, 0);
}

TEST(a_probe_of_another_run_is_nobodys)
{
	struct probe foreign = {.run = 78, .sequence = 900, .time = 1};
	unsigned char bytes[SIZE];
	struct finding finding;

	flow_send(&flow, 100);
	probe_write(&foreign, 0, bytes, SIZE);
	ck_assert_uint_eq(flow_judge_datagram(&flow, bytes, SIZE, &finding), 0);
}

static void answer(uint64_t sequence)
{
	uint64_t rtt;

	ck_assert_int_eq(flow_reply(&flow, sequence, &intact, SIZE, 100, &rtt), FATE_RECEIVED);
}

/* Its reply may yet come, but must not delay a flow that sends as fast as it is answered. */
TEST(a_probe_long_unanswered_is_overtaken_and_still_awaited)
{
	flow.window.lag = 4;
	for (uint64_t sequence = 1; sequence <= 2; sequence++)
		ck_assert_uint_eq(flow_send(&flow, 50), sequence);
	for (uint64_t sequence = 3; sequence <= 5; sequence++) {
		ck_assert_uint_eq(flow.window.overtaken, 0);
		ck_assert_uint_eq(flow_send(&flow, 50), sequence);
		answer(sequence);
	}
	ck_assert_uint_eq(flow.window.overtaken, 1);
	ck_assert_uint_eq(flow_send(&flow, 50), 6);
	ck_assert_uint_eq(flow.window.overtaken, 2);
	answer(1);
	ck_assert_uint_eq(flow.window.overtaken, 1);
	flow_lose(&flow, 2);
	ck_assert_uint_eq(flow.window.overtaken, 0);
	ck_assert_uint_eq(flow.window.waiting, 1);
	ck_assert_uint_eq(books.received, 4);
}
