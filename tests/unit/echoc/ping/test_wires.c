/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a ping makes of a reply in another format than echo: which probe it belongs to, and what
 * the far side says in it. The replies to STAMP are those of a reflector of the test.
 */

#include "config.h"

#include <math.h>

#include "base/big_endian.h"
#include "echoc/ping/pinger.h"
#include "echoc/ping/wire.h"
#include "support/stamp_model.h"
#include "support/test.h"

#define SIZE 64
#define ROOM 16
#define RUN 77
#define SENT (100 * NS_PER_MS)
#define CAME (110 * NS_PER_MS)
#define SYNCHRONISED 0x8001 /* to within half a nanosecond */

static struct arguments arguments;
static struct target target;
static struct pinger pinger;
static uint8_t buffer[1024];
static struct finding finding;
static struct model model;

/* Of probe 1. */
static void start(const struct ping_wire *wire)
{
	pinger = (struct pinger){.arguments = &arguments,
				 .target = &target,
				 .wire = wire,
				 .output = {.arguments = &arguments, .target = &target},
				 .buffer = buffer,
				 .buffer_size = sizeof(buffer),
				 .reception = {.time = CAME, .ttl = 60}};
	ck_assert_int_eq(flow_init(&pinger.flow, RUN, SIZE, ROOM, &pinger.books), 0);
	if (wire->init)
		ck_assert_int_eq(wire->init(&pinger, NULL), 0);
	ck_assert_uint_eq(flow_send(&pinger.flow, SENT), 1);
	pinger.receiver.offset = pinger.stamp.session.offset;
	pinger.report = no_far_report;
}

static void set_up(void)
{
	probe_prepare();
	arguments = (struct arguments){.size = 0};
	target = (struct target){.datagram = true, .ttl = 255};
	model = (struct model){.ttl = 250};
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stdout));
}

static void tear_down(void)
{
	flow_clear(&pinger.flow);
}

/* The probe is in the buffer. */
static void write_probe(void)
{
	struct probe probe = flow_probe(&pinger.flow, 1);

	pinger.wire->write(&pinger, &probe);
}

/* A reply that was received and sent there AFTER and LATER nanoseconds after the probe left. */
static uint64_t reflect(uint64_t after, uint64_t later)
{
	write_probe();
	model.t2 = stamp_time_of(SENT + pinger.stamp.session.offset + after);
	model.t3 = stamp_time_of(SENT + pinger.stamp.session.offset + later);
	ck_assert_int_eq(model_answer(&model, buffer, pinger.stamp.session.form.size),
			 MODEL_ANSWERED);
	memcpy(buffer, model.reply, model.size);
	return pinger.wire->judge(&pinger, model.size, &finding);
}

TEST_CASE("stamp", set_up, tear_down);

static const struct {
	int option; /* 'g': guarded, 'f': fresh */
	uint8_t sent, arrived;
	int came;
	int there, back;
} hops[] = {
	{0, 255, 250, 60, 5, -1},   {'g', 255, 250, 245, 5, 4}, {'g', 255, 250, 249, 5, 0},
	{'g', 255, 250, 250, 5, 0}, {'f', 255, 250, 60, 5, 4},	{'f', 255, 250, 64, 5, 0},
	{'f', 255, 250, 65, 5, 63}, {'f', 255, 250, 128, 5, 0}, {'f', 255, 250, 129, 5, 126},
	{'f', 255, 250, 250, 5, 5}, {'f', 255, 250, -1, 5, -1}, {'g', 255, 250, -1, 5, -1},
	{0, 64, 64, 60, 0, -1},	    {0, 64, 65, 60, -1, -1},	{0, 255, 0, 60, -1, -1},
};

TEST_EACH(hops_are_counted_as_far_as_it_is_known_where_they_begin, ARRAY_SIZE(hops))
{
	arguments.ttl_guarded = hops[_i].option == 'g';
	arguments.ttl_fresh = hops[_i].option == 'f';
	target.ttl = hops[_i].sent;
	model.ttl = hops[_i].arrived;
	start(&ping_wire_stamp);
	pinger.reception.ttl = hops[_i].came;
	ck_assert_uint_eq(reflect(1, 2), 1);
	ck_assert(pinger.report.present);
	ck_assert_int_eq(pinger.report.hops_there, hops[_i].there);
	ck_assert_int_eq(pinger.report.hops_back, hops[_i].back);
}

static const struct {
	uint64_t after, later, came;
	bool timed;
} times[] = {
	{2 * NS_PER_MS, 5 * NS_PER_MS, CAME, true},
	{2 * NS_PER_MS, 2 * NS_PER_MS, SENT, true}, /* at once, in no time */
	{2 * NS_PER_MS, 5 * NS_PER_MS, SENT, false},
	{2 * NS_PER_MS, 13 * NS_PER_MS, CAME, false},
	{5 * NS_PER_MS, 2 * NS_PER_MS, CAME, false},
	{2 * NS_PER_MS, 5 * NS_PER_MS, SENT - 1, false},
};

TEST_EACH(the_far_side_cannot_take_longer_than_the_round_trip, ARRAY_SIZE(times))
{
	uint64_t turnaround = times[_i].later - times[_i].after;

	start(&ping_wire_stamp);
	pinger.reception.time = times[_i].came;
	ck_assert_uint_eq(reflect(times[_i].after, times[_i].later), 1);
	ck_assert(pinger.report.timed == times[_i].timed);
	if (times[_i].timed)
		ck_assert_double_eq_tol((double)pinger.report.turnaround, (double)turnaround, 2);
	else
		ck_assert_uint_eq(pinger.report.turnaround, 0);
	ck_assert_double_eq_tol((double)pinger.report.there, (double)times[_i].after, 2);
	ck_assert_double_eq_tol((double)pinger.report.back,
				(double)times[_i].came - (double)(SENT + times[_i].later), 2);
}

static const struct {
	uint16_t ours, theirs;
	uint64_t set; /* how far the wall clock was moved meanwhile */
	bool known;
} clocks[] = {
	{SYNCHRONISED, SYNCHRONISED, 0, true},
	{SYNCHRONISED, SYNCHRONISED, NS_PER_MS, true},
	{SYNCHRONISED, SYNCHRONISED, -NS_PER_MS, true},
	{SYNCHRONISED, SYNCHRONISED, NS_PER_MS + 1, false},
	{SYNCHRONISED, SYNCHRONISED, -NS_PER_MS - 1, false},
	{SYNCHRONISED, STAMP_UNSYNCHRONISED_ESTIMATE, 0, false},
	{STAMP_UNSYNCHRONISED_ESTIMATE, SYNCHRONISED, 0, false},
	{SYNCHRONISED, SYNCHRONISED | STAMP_PTP_FORMAT, 0, false},
};

TEST_EACH(one_way_times_need_two_clocks_that_agree, ARRAY_SIZE(clocks))
{
	start(&ping_wire_stamp);
	pinger.stamp.error = clocks[_i].ours;
	pinger.stamp.estimated = SENT - NS_PER_S + 1; /* not yet due again */
	pinger.receiver.offset += clocks[_i].set;
	model.estimate = clocks[_i].theirs;
	ck_assert_uint_eq(reflect(1, 2), 1);
	ck_assert(isfinite(pinger.report.error) == clocks[_i].known);
}

static const struct {
	uint64_t size;
	bool key, fits, options;
} sizes[] = {
	{0, false, true, true},	  {43, false, false, false}, {44, false, true, false},
	{95, false, true, false}, {300, false, true, true},  {111, true, false, false},
	{112, true, true, false},
};

TEST_EACH(a_size_that_is_too_small_does_without_options, ARRAY_SIZE(sizes))
{
	struct reason reason = {.text = ""};
	const char *path = test_path("key");
	FILE *file = fopen(path, "w");

	ck_assert_int_ge(fputs("000102030405060708090a0b0c0d0e0f\n", file), 0);
	ck_assert_int_eq(fclose(file), 0);
	ck_assert_int_eq(chmod(path, 0600), 0);
	start(&ping_wire_echo);
	arguments.size = sizes[_i].size;
	arguments.key_file = sizes[_i].key ? path : NULL;
	ck_assert_int_eq(ping_wire_stamp.init(&pinger, &reason), sizes[_i].fits ? 0 : -1);
	ck_assert((strstr(reason.text, " with a key") != NULL) ==
		  (sizes[_i].key && !sizes[_i].fits));
	if (sizes[_i].fits)
		ck_assert((pinger.stamp.session.form.options != 0) == sizes[_i].options);
}

static void alter(size_t place)
{
	buffer[place] ^= 1;
}

/* The number and the time of the probe that it repeats. */
static const size_t identities[] = {24, 28, 30};

TEST_EACH(a_reply_to_another_probe_is_not_ours, ARRAY_SIZE(identities))
{
	start(&ping_wire_stamp);
	ck_assert_uint_eq(reflect(1, 2), 1);
	alter(identities[_i]);
	ck_assert_uint_eq(pinger.wire->judge(&pinger, model.size, &finding), 0);
	ck_assert(!pinger.stamp.echoed);
}

TEST(a_request_that_comes_back_is_noticed_once)
{
	start(&ping_wire_stamp);
	write_probe();
	ck_assert_uint_eq(pinger.wire->judge(&pinger, pinger.stamp.session.form.size - 1, &finding),
			  0);
	ck_assert(!pinger.stamp.echoed);
	alter(8); /* its time */
	ck_assert_uint_eq(pinger.wire->judge(&pinger, pinger.stamp.session.form.size, &finding), 0);
	ck_assert(!pinger.stamp.echoed);
	alter(8);
	ck_assert_uint_eq(pinger.wire->judge(&pinger, pinger.stamp.session.form.size, &finding), 0);
	ck_assert(pinger.stamp.echoed);
	ck_assert_uint_eq(pinger.wire->identify(&pinger), 1);
}

TEST_CASE("echoplus", set_up, tear_down);

/* A reply to probe 1; the far side's clock began 1 s before ours. */
static uint64_t answer_plus(uint64_t received, uint64_t sent)
{
	write_probe();
	put32(buffer + 4, 1);
	put32(buffer + 8, (uint32_t)((received + NS_PER_S) / NS_PER_US));
	put32(buffer + 12, (uint32_t)((sent + NS_PER_S) / NS_PER_US));
	return pinger.wire->judge(&pinger, SIZE, &finding);
}

TEST_EACH(the_far_side_cannot_take_longer_than_the_round_trip_in_echoplus_either, ARRAY_SIZE(times))
{
	start(&ping_wire_plus);
	pinger.reception.time = times[_i].came;
	if (times[_i].came == SENT)
		return; /* no time at all is not measured */
	ck_assert_uint_eq(answer_plus(SENT + times[_i].after, SENT + times[_i].later), 1);
	ck_assert(pinger.report.timed == times[_i].timed);
	ck_assert_uint_eq(pinger.report.turnaround,
			  times[_i].timed ? times[_i].later - times[_i].after : 0);
}

TEST_EACH(hops_of_a_fresh_reply_are_counted_if_its_ttl_is_known, 3)
{
	static const struct {
		bool fresh;
		int came, back;
	} rows[] = {{true, 60, 4}, {true, -1, -1}, {false, 60, -1}};

	arguments.ttl_fresh = rows[_i].fresh;
	start(&ping_wire_plus);
	pinger.reception.ttl = rows[_i].came;
	ck_assert_uint_eq(answer_plus(SENT, SENT), 1);
	ck_assert_int_eq(pinger.report.hops_back, rows[_i].back);
}

/* Another run, another probe, and both too short. */
TEST(a_reply_to_another_run_or_probe_is_not_ours)
{
	start(&ping_wire_plus);
	write_probe();
	ck_assert_uint_eq(pinger.wire->identify(&pinger), 1);
	ck_assert_uint_eq(pinger.wire->judge(&pinger, 23, &finding), 0);
	ck_assert_uint_eq(pinger.wire->judge(&pinger, 24, &finding), 1);
	alter(23);
	ck_assert_uint_eq(pinger.wire->judge(&pinger, SIZE, &finding), 0);
	ck_assert_uint_eq(pinger.wire->identify(&pinger), 0);
	alter(23);
	put32(buffer, 2);
	ck_assert_uint_eq(pinger.wire->judge(&pinger, SIZE, &finding), 0);
	ck_assert_uint_eq(pinger.wire->identify(&pinger), 2);
}

TEST_CASE("echo", set_up, tear_down);

TEST(a_quoted_probe_of_another_run_is_not_ours)
{
	start(&ping_wire_echo);
	write_probe();
	ck_assert_uint_eq(pinger.wire->identify(&pinger), 1);
	pinger.flow.run++;
	ck_assert_uint_eq(pinger.wire->identify(&pinger), 0);
	pinger.flow.run--;
	alter(0);
	ck_assert_uint_eq(pinger.wire->identify(&pinger), 0);
}
