/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* One silent flow: the far side is the other end of a pair of sockets, the clock is made up. */

#include "config.h"

#include <sys/socket.h>
#include <unistd.h>

#include "echoc/idle/silent_flow.h"
#include "support/stamp_model.h"
#include "support/test.h"

#define WAIT (20 * NS_PER_S)

static struct stamp_form stamp;
static struct silent_form form;
static struct silent_flow flow;
static struct model model;
static int far;
static uint64_t now;
static uint8_t packet[2048];

static void begin(int type, bool fresh, uint64_t wait)
{
	int ends[2];

	ck_assert_int_eq(socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends), 0);
	far = ends[1];
	now = 1000 * NS_PER_S;
	stamp = (struct stamp_form){.options = STAMP_ASKS_LOCATION};
	stamp.size = stamp_least(&stamp);
	form = (struct silent_form){&stamp, type == SOCK_DGRAM, fresh, 0};
	model = (struct model){.source_port = 5000};
	memcpy(model.source, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\x00\x02\x07", 16);
	silent_flow_start(&flow, &form, ends[0], wait, now);
}

static void tear_down(void)
{
	silent_flow_end(&flow);
	if (far >= 0)
		close(far);
}

/* What was sent; 0: nothing. */
static size_t sent(void)
{
	ssize_t size = recv(far, packet, sizeof(packet), 0);

	return size > 0 ? (size_t)size : 0;
}

static void step(void)
{
	now = flow.due;
	silent_flow_step(&flow, now);
}

static void reply(const void *data, size_t size)
{
	ck_assert_int_eq(send(far, data, size, 0), (ssize_t)size);
	now += NS_PER_MS;
	silent_flow_read(&flow, now);
}

static void reply_as_reflector(void)
{
	size_t size = sent();

	ck_assert_uint_gt(size, 0);
	ck_assert_int_eq(model_answer(&model, packet, size), MODEL_ANSWERED);
	reply(model.reply, model.size);
}

static void warm_up(void)
{
	for (int i = 0; i < 4; i++) {
		step();
		reply_as_reflector();
	}
	step();
	ck_assert_int_eq(flow.state, STATE_SILENT);
	ck_assert_uint_eq(sent(), 0);
}

TEST_CASE("silent_flow", NULL, tear_down);

TEST(it_is_silent_from_its_last_reply_on)
{
	begin(SOCK_DGRAM, false, WAIT);
	warm_up();
	ck_assert_uint_eq(flow.due, flow.heard + WAIT);
	ck_assert(flow.located);
	step();
	ck_assert_int_eq(flow.state, STATE_ASKING);
	reply_as_reflector();
	ck_assert_int_eq(flow.state, STATE_DONE);
	ck_assert_int_eq(flow.fate, FATE_KEPT);
}

TEST(a_fresh_one_is_answered_once)
{
	begin(SOCK_DGRAM, true, WAIT);
	step();
	reply_as_reflector();
	step();
	ck_assert_int_eq(flow.state, STATE_SILENT);
}

TEST(another_address_is_forgotten)
{
	begin(SOCK_DGRAM, false, WAIT);
	warm_up();
	model.source_port++;
	step();
	reply_as_reflector();
	ck_assert_int_eq(flow.fate, FATE_FORGOTTEN);
	ck_assert_int_eq(flow.sign, SIGN_ADDRESS);
	ck_assert_uint_eq(address_port(&flow.before), 5000);
	ck_assert_uint_eq(address_port(&flow.after), 5001);
}

TEST(so_is_silence_to_three_probes)
{
	begin(SOCK_DGRAM, false, WAIT);
	warm_up();
	for (int i = 0; i < 3; i++) {
		step();
		ck_assert_int_eq(flow.state, STATE_ASKING);
		ck_assert_uint_gt(sent(), 0);
	}
	step();
	ck_assert_int_eq(flow.state, STATE_DONE);
	ck_assert_int_eq(flow.fate, FATE_FORGOTTEN);
	ck_assert_int_eq(flow.sign, SIGN_SILENCE);
	ck_assert_uint_eq(flow.asked, flow.heard + WAIT);
}

TEST(a_late_reply_begins_the_silence_anew)
{
	begin(SOCK_DGRAM, true, WAIT);
	step();
	reply_as_reflector();
	step();
	now += 5 * NS_PER_S;
	reply(model.reply, model.size);
	ck_assert_int_eq(flow.state, STATE_SILENT);
	ck_assert_uint_eq(flow.due, now + WAIT);
}

TEST(what_is_not_answered_at_the_start_is_given_up)
{
	unsigned sends = 0;

	begin(SOCK_DGRAM, false, WAIT);
	while (flow.state != STATE_DONE) {
		step();
		sends += sent() > 0;
	}
	ck_assert_uint_eq(sends, 4 + 3);
	ck_assert_int_eq(flow.fate, FATE_UNANSWERED);
}

TEST(one_that_is_never_silent_goes_on)
{
	begin(SOCK_DGRAM, false, NEVER);
	for (int i = 0; i < 100; i++) {
		step();
		ck_assert_int_eq(flow.state, STATE_WARMING);
		reply_as_reflector();
	}
	ck_assert_uint_eq(flow.heard, now);
}

TEST(what_belongs_to_no_probe_is_no_reply)
{
	begin(SOCK_DGRAM, true, WAIT);
	step();
	ck_assert_uint_gt(sent(), 0);
	packet[8] ^= 1; /* its time */
	reply(packet, stamp.size);
	reply("short", 5);
	ck_assert_uint_eq(flow.heard, 0);
}

TEST(an_echo_server_returns_it)
{
	begin(SOCK_DGRAM, true, WAIT);
	step();
	reply(packet, sent());
	ck_assert_uint_eq(flow.heard, now);
	ck_assert(!flow.located);
	step();
	step();
	reply(packet, sent());
	ck_assert_int_eq(flow.fate, FATE_KEPT);
}

TEST(a_connection_has_bytes)
{
	begin(SOCK_STREAM, true, WAIT);
	step();
	reply(packet, sent());
	step();
	ck_assert_int_eq(flow.state, STATE_SILENT);
	step();
	reply(packet, sent());
	ck_assert_int_eq(flow.fate, FATE_KEPT);
}

TEST(a_close_while_it_is_silent_is_the_far_side_s)
{
	begin(SOCK_STREAM, true, WAIT);
	step();
	reply(packet, sent());
	step();
	close(far);
	far = -1;
	now += 3 * NS_PER_S;
	silent_flow_read(&flow, now);
	ck_assert_int_eq(flow.fate, FATE_CLOSED);
	ck_assert_uint_ge(flow.closed, 3 * NS_PER_S);
	ck_assert_uint_lt(flow.closed, 5 * NS_PER_S);
}

TEST(a_close_at_the_start_is_no_answer)
{
	begin(SOCK_STREAM, true, WAIT);
	step();
	close(far);
	far = -1;
	silent_flow_read(&flow, now);
	ck_assert_int_eq(flow.fate, FATE_UNANSWERED);
}
