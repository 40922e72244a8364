/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a watch makes of a reflector that counts, of one that does not, and of one that lies: which
 * way lost what, without any figure ever falling.
 */

#include "config.h"

#include "base/big_endian.h"
#include "base/clock.h"
#include "echom/watching/reflector.h"
#include "support/test.h"

#define FAR_DSCP 46
#define PORTS 2

static struct books books;
static struct flow flow;
static struct reflector *reflector;
static uint8_t packet[256];
static struct receiver receiver;
static struct reception reception;
static uint32_t counted[PORTS]; /* by the far side */
static uint64_t now, lost[WAYS], before[WAYS];

static void make(size_t ports)
{
	static const struct watch_settings settings = {.size = 64, .dscp = FAR_DSCP};

	free(reflector);
	reflector = reflector_new(&settings, ports);
	ck_assert_ptr_nonnull(reflector);
	flow.size = reflector_size(reflector);
}

static void set_up(void)
{
	probe_prepare();
	memset(&books, 0, sizeof(books));
	ck_assert_int_eq(flow_init(&flow, 7, 64, 64, &books), 0);
	reflector = NULL;
	make(1);
	memset(counted, 0, sizeof(counted));
	memset(before, 0, sizeof(before));
	now = 1000 * NS_PER_S;
	reception = (struct reception){.tos = FAR_DSCP << 2};
}

static void tear_down(void)
{
	free(reflector);
	flow_clear(&flow);
}

TEST_CASE("reflector", set_up, tear_down);

static size_t port_of(uint64_t sequence)
{
	return (size_t)((sequence - 1) % reflector->count);
}

static uint64_t ask(void)
{
	uint64_t sequence = flow_send(&flow, now += NS_PER_S);
	struct probe probe = flow_probe(&flow, sequence);

	reflector_write(reflector, port_of(sequence), &probe, packet);
	return sequence;
}

/* Makes a reply of the request: the answer of COUNT, with the marks that it came with. */
static void reflect(uint32_t count, unsigned dscp, bool refuses)
{
	memcpy(packet + 24, packet, 14);
	memcpy(packet + 16, packet + 4, 8);
	put32(packet, count);
	put16(packet + 38, 0);
	packet[40] = 251;
	packet[44] = packet[52] = 0; /* both options are recognised */
	put16(packet + 48, (uint16_t)(FAR_DSCP << 10 | dscp << 4 | (refuses ? 1 : 0)));
}

static uint64_t judge(uint64_t sequence)
{
	const struct arrival arrival = {packet, reflector_size(reflector), &receiver, &reception};
	struct finding finding;

	reception.time = now;
	return reflector_judge(reflector, port_of(sequence), &flow, &arrival, &finding);
}

/* The figures that Prometheus would see never fall, and are never more than was lost. */
static void check(void)
{
	if (!reflector_lost(reflector, lost))
		return;
	ck_assert_uint_ge(lost[WAY_THERE], before[WAY_THERE]);
	ck_assert_uint_ge(lost[WAY_BACK], before[WAY_BACK]);
	ck_assert_uint_le(lost[WAY_THERE] + lost[WAY_BACK], books.lost);
	memcpy(before, lost, sizeof(before));
}

/* The reply in the packet comes in. */
static void take(uint64_t sequence)
{
	struct finding finding = {.verdict = VERDICT_INTACT};
	uint64_t rtt;
	enum fate fate;

	ck_assert_uint_eq(judge(sequence), sequence);
	fate = flow_reply(&flow, sequence, &finding, 1, now, &rtt);
	reflector_enter(reflector, port_of(sequence), sequence, now, fate, flow_waiting(&flow));
	check();
}

static void give_up(void)
{
	uint64_t sequence = flow_oldest(&flow);

	flow_lose(&flow, sequence);
	reflector_lose(reflector, port_of(sequence), flow_waiting(&flow));
	check();
}

static void answer(void)
{
	uint64_t sequence = ask();

	reflect(counted[port_of(sequence)]++, FAR_DSCP, false);
	take(sequence);
}

static void lose_there(void)
{
	(void)ask();
}

static void lose_back(void)
{
	counted[port_of(ask())]++;
}

static void expect_lost(uint64_t there, uint64_t back)
{
	ck_assert(reflector_lost(reflector, lost));
	ck_assert_uint_eq(lost[WAY_THERE], there);
	ck_assert_uint_eq(lost[WAY_BACK], back);
}

TEST(nothing_is_known_before_a_reply)
{
	lose_there();
	ck_assert(!reflector_lost(reflector, lost));
	give_up();
	ck_assert(!reflector_lost(reflector, lost));
	ck_assert_int_eq(reflector->far_ttl, 0);
	ck_assert_int_eq(reflector->dscp_changed[WAY_THERE], -1);
	ck_assert_int_eq(reflector->dscp_changed[WAY_BACK], -1);
}

TEST(a_loss_counts_when_it_is_final)
{
	answer();
	expect_lost(0, 0);
	lose_there();
	lose_there();
	lose_back();
	answer();
	expect_lost(0, 0);
	for (unsigned i = 0; i < 3; i++)
		give_up();
	expect_lost(2, 1);
	ck_assert_int_eq(reflector->far_ttl, 251);
}

/* With no moment at which nothing waits. */
TEST(losses_are_counted_while_others_wait)
{
	for (unsigned i = 0; i < 100; i++) {
		if (i % 10 == 3)
			lose_there();
		else if (i % 10 == 6)
			lose_back();
		else
			answer();
		if (flow_waiting(&flow) > 3)
			give_up();
	}
	while (flow_waiting(&flow) > 0)
		give_up();
	expect_lost(10, 10);
}

TEST(each_port_has_a_count_of_its_own)
{
	make(PORTS);
	for (unsigned i = 0; i < 10; i++)
		answer();
	lose_there();
	lose_back();
	lose_there();
	for (unsigned i = 0; i < 7; i++)
		answer();
	while (flow_waiting(&flow) > 0)
		give_up();
	expect_lost(2, 1);
}

TEST(what_is_overtaken_is_not_lost)
{
	uint8_t overtaken[sizeof(packet)];
	uint64_t sequence;

	answer();
	sequence = ask();
	reflect(counted[0]++, FAR_DSCP, false);
	memcpy(overtaken, packet, sizeof(packet));
	answer();
	answer();
	memcpy(packet, overtaken, sizeof(packet));
	take(sequence);
	expect_lost(0, 0);
}

TEST(what_comes_late_is_lost_on_neither_way)
{
	uint64_t sequence;

	answer();
	sequence = ask();
	reflect(counted[0]++, FAR_DSCP, false);
	give_up();
	take(sequence);
	answer();
	expect_lost(0, 0);
	ck_assert_uint_eq(books.lost, 1);
}

TEST(a_reflector_that_was_restarted_is_followed)
{
	for (unsigned i = 0; i < 20; i++)
		answer();
	for (unsigned i = 0; i < 3; i++)
		lose_there();
	counted[0] = 0;
	answer();
	for (unsigned i = 0; i < 3; i++)
		give_up();
	for (unsigned i = 0; i < 30; i++)
		answer();
	expect_lost(0, 0);
	lose_back();
	answer();
	give_up();
	expect_lost(0, 1);
}

/* No counts in the reply, and the sequence number is ours. */
TEST(a_stateless_one_tells_nothing)
{
	for (uint32_t i = 0; i < 5; i++) {
		uint64_t sequence = ask();

		reflect(i, FAR_DSCP, false);
		packet[52] = 0x80;
		take(sequence);
	}
	ck_assert(!reflector_lost(reflector, lost));
}

TEST(one_that_counts_others_as_well_tells_nothing)
{
	answer();
	expect_lost(0, 0);
	for (unsigned i = 0; i < 5; i++) {
		counted[0] += 7;
		answer();
	}
	ck_assert(!reflector_lost(reflector, lost));
}

TEST(no_count_makes_a_figure_fall_or_exceed_what_was_lost)
{
	uint32_t random = 1;

	for (unsigned i = 0; i < 5000; i++) {
		uint64_t sequence = ask();

		random = random * 1103515245 + 12345;
		reflect(random >> 16 & (i % 3 == 0 ? 7 : UINT32_MAX), FAR_DSCP, false);
		if (random >> 28 != 0)
			take(sequence);
		if (random >> 28 == 1)
			take(sequence); /* twice */
		while (flow_waiting(&flow) > 5)
			give_up();
	}
}

static const struct {
	unsigned seen; /* there */
	bool refuses;
	int tos; /* here */
	int there, back;
} marks[] = {
	{FAR_DSCP, false, FAR_DSCP << 2, 0, 0},
	{FAR_DSCP, false, FAR_DSCP << 2 | 1, 0, 0}, /* ECN is none of it */
	{0, false, FAR_DSCP << 2, 1, 0},
	{FAR_DSCP, false, 0, 0, 1},
	{10, false, 0, 1, 1},
	{10, true, 10 << 2, 1, 0}, /* what it received is what it sends */
	{10, true, FAR_DSCP << 2, 1, 1},
	{FAR_DSCP, false, -1, 0, -1},
};

TEST_EACH(a_mark_that_was_changed_is_seen, ARRAY_SIZE(marks))
{
	uint64_t sequence = ask();

	reflect(0, marks[_i].seen, marks[_i].refuses);
	reception.tos = marks[_i].tos;
	ck_assert_uint_eq(judge(sequence), sequence);
	ck_assert_int_eq(reflector->dscp_changed[WAY_THERE], marks[_i].there);
	ck_assert_int_eq(reflector->dscp_changed[WAY_BACK], marks[_i].back);
}

TEST(without_the_option_marks_are_not_known)
{
	uint64_t sequence = ask();

	reflect(0, 0, false);
	packet[44] = 0x80;
	ck_assert_uint_eq(judge(sequence), sequence);
	ck_assert_int_eq(reflector->dscp_changed[WAY_THERE], -1);
}

TEST(an_echo_server_is_known_until_a_reflector_replies)
{
	uint64_t sequence = ask();

	ck_assert_uint_eq(judge(sequence), 0);
	ck_assert(reflector->is_echo);
	reflect(0, FAR_DSCP, false);
	take(sequence);
	ck_assert(!reflector->is_echo);
}

TEST(probes_have_room_for_what_is_asked)
{
	ck_assert_uint_eq(reflector_size(reflector), 68);
}
