/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Streams that share a worker: how much of a large message is taken in one pass. */

#include "config.h"

#include "echod/stream/echo.h"

#include <event2/event.h>

#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/loop_scene.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"
#define LARGE (2 * SHARED_SIZE) /* a unix socket takes it at once */
#define LATELY_MS 1000

static int bulk, other;

static void set_up(void)
{
	struct service *service;

	scene_open();
	service = scene_service(PLAIN, "x");
	bulk = scene_connect_unix(service, 0);
	other = scene_connect_unix(service, 0);
}

static void tear_down(void)
{
	close(bulk);
	close(other);
	scene_close();
}

/* How much the next pass of the loop takes when LARGE bytes have come; then their echo is read. */
static size_t taken_in_a_pass(void)
{
	static char data[LARGE];
	uint64_t before = scene_count(TCP_RECEIVED_BYTES), taken;

	ck_assert_int_eq(send(bulk, data, sizeof(data), MSG_DONTWAIT), sizeof(data));
	ck_assert_int_ge(event_base_loop(scene_loop.base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
	taken = scene_count(TCP_RECEIVED_BYTES) - before;
	scene_read(bulk, data, sizeof(data));
	return (size_t)taken;
}

static void hello(int fd, int times)
{
	for (int i = 0; i < times; i++)
		scene_exchange(fd, "hello", "hello");
}

TEST_CASE("share", set_up, tear_down);

TEST(alone_a_large_message_is_taken_whole)
{
	ck_assert_uint_eq(taken_in_a_pass(), LARGE);
	ck_assert_uint_eq(taken_in_a_pass(), LARGE);
}

TEST(beside_small_messages_it_is_taken_in_pieces)
{
	hello(other, 2);
	ck_assert_uint_eq(taken_in_a_pass(), SHARED_SIZE);
	ck_assert_uint_eq(taken_in_a_pass(), SHARED_SIZE);
}

TEST(both_ready_in_one_pass_get_theirs)
{
	char echo[5];

	hello(other, 2);
	ck_assert_int_eq(send(other, "hello", 5, 0), 5);
	ck_assert_uint_eq(taken_in_a_pass(), SHARED_SIZE + 5);
	ck_assert_int_eq(scene_take(other, echo, sizeof(echo)), 5);
}

TEST(the_small_tail_of_a_large_message_changes_nothing)
{
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(taken_in_a_pass(), LARGE);
		hello(bulk, 1);
	}
	hello(other, 1);
	ck_assert_uint_eq(taken_in_a_pass(), LARGE);
}

TEST(whole_again_when_the_small_messages_have_ceased)
{
	hello(other, 2);
	fake_ms += LATELY_MS - 1;
	ck_assert_uint_eq(taken_in_a_pass(), SHARED_SIZE);
	fake_ms++;
	ck_assert_uint_eq(taken_in_a_pass(), SHARED_SIZE); /* the first read that notices */
	ck_assert_uint_eq(taken_in_a_pass(), LARGE);
	hello(other, 1);
	ck_assert_uint_eq(taken_in_a_pass(), SHARED_SIZE);
}
