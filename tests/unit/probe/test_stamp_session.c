/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Probes of a flow to a reflector, from one port or several, and what replies say about them. */

#include "config.h"

#include <math.h>

#include "base/big_endian.h"
#include "base/clock.h"
#include "probe/stamp_session.h"
#include "support/test.h"

#define SIZE 100
#define START (1000 * NS_PER_S)
#define WALL (1700000000 * NS_PER_S) /* what the wall clock is ahead by */
#define ALL (STAMP_ASKS_CLASS | STAMP_ASKS_COUNTS)

static struct books books;
static struct flow flow;
static struct stamp_session sessions[3];
static uint8_t packet[256];
static size_t size;
static struct finding finding;
static struct stamp_answer answer;
static struct receiver receiver;
static struct reception reception;

static void set_up(void)
{
	probe_prepare();
	memset(&books, 0, sizeof(books));
	ck_assert_int_eq(flow_init(&flow, 7, SIZE, 16, &books), 0);
	receiver.offset = WALL;
	for (unsigned i = 0; i < 3; i++)
		sessions[i] = (struct stamp_session){.form = {.options = ALL, .size = SIZE},
						     .first = i + 1,
						     .stride = 3,
						     .offset = WALL,
						     .ttl = 255};
}

static void tear_down(void)
{
	flow_clear(&flow);
}

TEST_CASE("stamp_session", set_up, tear_down);

static struct stamp_session *session_of(uint64_t sequence)
{
	return &sessions[(sequence - 1) % 3];
}

/* Sends the next probe, a second after the one before; its request is in the packet. */
static uint64_t ask(void)
{
	const struct stamp_question question = {.error = 1, .dscp = 46};
	uint64_t sequence = flow_send(&flow, START + flow_next(&flow) * NS_PER_S);
	struct probe probe = flow_probe(&flow, sequence);

	stamp_session_write(session_of(sequence), &probe, question, packet);
	size = SIZE;
	return sequence;
}

/* Makes of it the reply of a reflector that counts, received after RECEIVED, sent after SENT. */
static void reflect(uint32_t count, uint64_t received, uint64_t sent)
{
	uint64_t asked = get64(packet + 4);
	uint64_t unit = (UINT64_C(1) << 32) / 1000;

	memcpy(packet + 24, packet, 14);
	put32(packet, count);
	put64(packet + 4, asked + sent * unit);
	put16(packet + 12, 0x8001);
	put64(packet + 16, asked + received * unit);
	put16(packet + 38, 0);
	packet[40] = 250;
	packet[44] = packet[52] = packet[68] = 0; /* recognised */
	put16(packet + 48, 46 << 10 | 10 << 4 | 1 << 2);
}

static uint64_t judge(unsigned index)
{
	return stamp_session_judge(&sessions[index], &flow, packet, size, &finding, &answer);
}

static struct far_report report(uint64_t sequence, uint64_t after_ms)
{
	reception.time = flow_sent_at(&flow, sequence) + after_ms * NS_PER_MS;
	return stamp_session_report(session_of(sequence), &answer, flow_sent_at(&flow, sequence),
				    &receiver, &reception);
}

TEST(each_port_counts_its_own_packets)
{
	for (uint32_t i = 0; i < 30; i++) {
		uint64_t sequence = ask();

		ck_assert_uint_eq(sequence, i + 1);
		ck_assert_uint_eq(get32(packet), i / 3);
		reflect(i / 3, 2, 3);
		ck_assert_uint_eq(judge(i % 3), sequence);
		ck_assert_int_eq(finding.verdict, VERDICT_INTACT);
		ck_assert_uint_eq(judge((i + 1) % 3), 0); /* came to the port of another */
	}
}

TEST(a_number_has_only_its_low_bits_on_the_wire)
{
	flow.window.next = flow.window.oldest = (UINT64_C(7) << 32) * 3 - 5;
	for (unsigned i = 0; i < 12; i++) {
		uint64_t sequence = ask();

		ck_assert_uint_eq(
			stamp_session_sequence(session_of(sequence), &flow, get32(packet)),
			sequence);
	}
	ck_assert(!flow_holds(&flow, stamp_session_sequence(&sessions[0], &flow, 1000)));
}

TEST(a_reply_says_what_happened_to_its_probe)
{
	uint64_t sequence = ask();
	struct far_report far;

	reflect(4, 20, 23);
	ck_assert_uint_eq(judge(0), sequence);
	far = report(sequence, 40);
	ck_assert(far.present && far.counted && far.timed);
	ck_assert_uint_eq(far.count, 4);
	ck_assert_uint_le(far.turnaround - (3 * NS_PER_MS - 1000), 2000);
	ck_assert_int_eq(far.hops_there, 5);
	ck_assert_int_eq(far.hops_back, -1);
	ck_assert_int_eq(far.dscp, 10);
	ck_assert_int_eq(far.ecn, 1);
	ck_assert(isnan(far.error)); /* our own clock is not synchronised */
}

static const struct {
	uint64_t received, sent, after;
	bool timed;
} times[] = {
	{20, 23, 23, true},	      {0, 39, 40, true},
	{23, 20, 40, false},	      /* answered before it came */
	{1000000, 1000001, 40, true}, /* from the future: only the clocks differ */
	{0, 1000000, 40, false},      /* it took longer than the round trip */
};

TEST_EACH(no_time_of_the_far_side_makes_a_round_trip_longer_or_less_than_none, ARRAY_SIZE(times))
{
	uint64_t sequence = ask();
	struct far_report far;

	reflect(0, times[_i].received, times[_i].sent);
	ck_assert_uint_eq(judge(0), sequence);
	far = report(sequence, times[_i].after);
	ck_assert_int_eq(far.timed, times[_i].timed);
	ck_assert_uint_le(far.turnaround, times[_i].after * NS_PER_MS);
	if (!far.timed)
		ck_assert_uint_eq(far.turnaround, 0);
}

/* Byte by byte: none makes a reply of another probe, and a changed time is of none. */
TEST(what_does_not_repeat_the_time_is_no_reply)
{
	(void)ask();
	reflect(0, 20, 23);
	for (unsigned at = 24; at < 35; at++) {
		packet[at] ^= 0x40;
		ck_assert_uint_eq(judge(0), 0);
		packet[at] ^= 0x40;
	}
	ck_assert_uint_eq(judge(0), 1);
}

static const struct {
	size_t size;
	uint64_t sequence;
	enum verdict verdict;
} sizes[] = {
	{0, 0, VERDICT_INTACT},	    {43, 0, VERDICT_INTACT},	{44, 1, VERDICT_INTACT},
	{45, 1, VERDICT_TRUNCATED}, {99, 1, VERDICT_TRUNCATED}, {SIZE, 1, VERDICT_INTACT},
	{101, 1, VERDICT_CORRUPT},
};

TEST_EACH(a_reply_has_the_size_of_its_probe_or_of_the_base_packet, ARRAY_SIZE(sizes))
{
	(void)ask();
	reflect(0, 20, 23);
	size = sizes[_i].size;
	ck_assert_uint_eq(judge(0), sizes[_i].sequence);
	if (sizes[_i].sequence != 0)
		ck_assert_int_eq(finding.verdict, sizes[_i].verdict);
}

TEST(padding_that_was_altered_is_found)
{
	(void)ask();
	reflect(0, 20, 23);
	packet[90] ^= 1;
	ck_assert_uint_eq(judge(0), 1);
	ck_assert_int_eq(finding.verdict, VERDICT_CORRUPT);
	ck_assert_uint_eq(finding.offset, 90);
}

TEST(a_request_that_comes_back_is_an_echo)
{
	(void)ask();
	ck_assert_uint_eq(judge(0), 0);
	ck_assert(stamp_session_is_echo(&sessions[0], &flow, packet, size));
	ck_assert(!stamp_session_is_echo(&sessions[0], &flow, packet, size - 1));
	packet[5] ^= 1;
	ck_assert(!stamp_session_is_echo(&sessions[0], &flow, packet, size));
}
