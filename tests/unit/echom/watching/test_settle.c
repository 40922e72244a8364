/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* When a target is up and when it is down; what a stop of ours has no part in. */

#include "config.h"

#include "echom/watching/exchange.h"
#include "echom/watching/settle.h"
#include "unit/moving_clock.h"
#include "unit/watches_scene.h"

static const struct finding intact = {.verdict = VERDICT_INTACT};
static struct watch *one;

static void set_up(void)
{
	set_up_watches();
	watch("[target one]\naddress = a\ninterval = 1h\ntimeout = 5s\n");
	one = watches->items[0];
	one->target.datagram = true;
}

TEST_CASE("settle", set_up, tear_down_watches);

static uint64_t send_probe(void)
{
	one->counts.sent++;
	return flow_send(&one->flow, clock_ns());
}

static void answer_at(uint64_t sequence, uint64_t time)
{
	one->reception = (struct reception){.time = time, .ttl = -1, .tos = -1};
	watch_settle_reply(one, sequence, &intact, 64);
}

static void answer(uint64_t sequence)
{
	answer_at(sequence, clock_ns());
}

static void lose(uint64_t sequence)
{
	watch_settle_lost(one, sequence, "timeout");
}

static void expect(uint64_t up, uint64_t outages)
{
	struct watch_state state = watch_state(one);

	ck_assert_uint_eq(state.up, up);
	ck_assert_uint_eq(state.outages, outages);
	ck_assert_uint_eq(one->counts.sent,
			  one->counts.received + one->counts.lost + flow_waiting(&one->flow));
}

TEST(it_is_up_from_its_first_reply_to_the_second_loss_in_a_row)
{
	expect(0, 0);
	answer(send_probe());
	expect(1, 0);
	lose(send_probe());
	expect(1, 0);
	answer(send_probe());
	lose(send_probe());
	expect(1, 0);
	lose(send_probe());
	expect(0, 1);
	ck_assert_uint_eq(watches_down(watches), 1);
	answer(send_probe());
	expect(1, 1);
	ck_assert_uint_eq(watches_down(watches), 0);
}

/* Older probes have no fate yet: the outage ends when they have, but a reply is a reply. */
TEST(it_is_up_again_with_the_next_reply_whatever_still_waits)
{
	uint64_t waiting[3];
	struct watch_state state;

	lose(send_probe());
	lose(send_probe());
	expect(0, 1);
	for (unsigned i = 0; i < 3; i++)
		waiting[i] = send_probe();
	answer(send_probe());
	expect(1, 1);
	ck_assert_uint_eq(watches_down(watches), 0);
	for (unsigned i = 0; i < 3; i++) {
		lose(waiting[i]);
		expect(1, 1);
	}
	state = watch_state(one);
	ck_assert_ptr_nonnull(history_past(&one->history, 0));
	ck_assert_uint_eq(history_past(&one->history, 0)->lost, 5);
	ck_assert_uint_eq(history_past(&one->history, 0)->duration, state.outage_sum);
}

/* Replies to several ports are read port by port. */
TEST(replies_are_in_the_order_in_which_they_arrive)
{
	uint64_t first = send_probe(), second = send_probe(), third = send_probe(), now;

	now = clock_ns();
	answer_at(second, now + 2);
	answer_at(first, now + 1);
	ck_assert_uint_eq(one->counts.out_of_order, 0);
	answer_at(third, now + 3);
	first = send_probe();
	second = send_probe();
	now = clock_ns();
	answer_at(second, now + 1);
	answer_at(first, now + 2);
	ck_assert_uint_eq(one->counts.out_of_order, 1);
}

TEST(neither_late_replies_nor_duplicates_bring_it_up)
{
	uint64_t first = send_probe(), lost;

	answer(first);
	lost = send_probe();
	lose(lost);
	lose(send_probe());
	expect(0, 1);
	answer(first);
	answer(lost);
	expect(0, 1);
	ck_assert_uint_eq(one->counts.duplicates, 1);
	ck_assert_uint_eq(one->counts.late, 1);
}

/* Its last loss is all that is known: no probe was due while we were stopped. */
TEST(an_outage_grows_by_losses_and_not_by_a_stop_of_ours)
{
	struct outage_pause pause;
	uint64_t last = 0, sum;

	for (unsigned i = 0; i < 4; i++) {
		lose(send_probe());
		sum = watch_state(one).outage_sum;
		ck_assert_uint_ge(sum, last);
		last = sum;
		clock_moved_ms += 1000;
	}
	ck_assert_uint_ge(last, 3000 * NS_PER_MS);
	clock_moved_ms += 3600 * 1000;
	pause = (struct outage_pause){.before = flow_next(&one->flow), .stopped = 3600 * NS_PER_S};
	outages_pause(&one->outages, &pause);
	lose(send_probe());
	sum = watch_state(one).outage_sum;
	ck_assert_uint_ge(sum, 4000 * NS_PER_MS);
	ck_assert_uint_le(sum, 60000 * NS_PER_MS);
	answer(send_probe());
	ck_assert_uint_ge(watch_state(one).outage_sum, sum);
	ck_assert_uint_le(watch_state(one).outage_sum, 60000 * NS_PER_MS);
	clock_moved_ms = 0; /* libcheck measures how long we took */
}

static const struct {
	bool datagram;
	bool stamped; /* with the time at which it came */
	uint64_t received, late;
} stops[] = {
	{true, true, 0, 1},  /* the kernel saw it come too late */
	{true, false, 1, 0}, /* nobody knows */
	{false, true, 0, 1}, /* that of the last reply, which is this one */
	{false, false, 1, 0},
};

TEST_EACH(what_may_have_come_in_time_while_we_were_stopped_is_received, ARRAY_SIZE(stops))
{
	uint64_t sequence = send_probe();

	one->target.datagram = stops[_i].datagram;
	clock_moved_ms += 6000;
	one->reception = (struct reception){.time = clock_ns(), .ttl = -1, .tos = -1};
	one->woken = stops[_i].stamped ? one->reception.time : one->reception.time - 1;
	watch_settle_reply(one, sequence, &intact, 64);
	ck_assert_uint_eq(one->counts.received, stops[_i].received);
	ck_assert_uint_eq(one->counts.late, stops[_i].late);
	clock_moved_ms = 0; /* libcheck measures how long we took */
}

/* The stamp is that of the last reply: when the others came is not known. */
TEST(of_several_replies_in_a_stream_all_but_the_last_may_have_been_in_time)
{
	uint64_t first = send_probe(), last = send_probe();

	one->target.datagram = false;
	clock_moved_ms += 6000;
	one->woken = clock_ns();
	one->reception = (struct reception){.time = one->woken - 1, .ttl = -1, .tos = -1};
	watch_settle_reply(one, first, &intact, 64);
	watch_settle_reply(one, last, &intact, 64);
	ck_assert_uint_eq(one->counts.received, 1);
	ck_assert_uint_eq(one->counts.late, 1);
	ck_assert_uint_le(one->counts.rtt_sum, 5 * NS_PER_S);
	clock_moved_ms = 0; /* libcheck measures how long we took */
}
