/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a turn of the loop takes from all datagram sockets together, and the memory it leaves. */

#include "config.h"

#include "echod/datagram/turn.h"

#include <event2/event.h>
#include <netinet/udp.h>
#include <sys/mman.h>

#include "echod/datagram/batch.h"
#include "echod/datagram/datagrams.h"
#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/loop_scene.h"

#define SOCKETS 8
#define TRAINS 3 /* what the smallest of receive buffers holds */
#define TRAIN_SIZE 60000
#define SEGMENT 1000
#define LOOP_BYTES (1024 * 1024)
#define QUEUED 240 /* small ones: more than an eighth of a turn, and they fit the buffer */

static struct endpoint *endpoints[SOCKETS];
static int clients[SOCKETS];
static char data[65536];

static void set_up(void)
{
	struct service *service;

	scene_open();
	service = scene_service("[listener x]\naddress = 127.0.0.1:0\n", "x");
	for (int i = 0; i < SOCKETS; i++) {
		endpoints[i] = scene_serve(service, SOCKET_UDP, "127.0.0.1");
		clients[i] = datagram_socket("127.0.0.1");
	}
}

static void tear_down(void)
{
	for (int i = 0; i < SOCKETS; i++)
		close(clients[i]);
	scene_close();
}

static void send_train(int number, size_t size, int segment)
{
	if (setsockopt(clients[number], SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		skip("this kernel sends no trains");
	send_datagram(clients[number], &endpoints[number]->socket->address, data, size);
}

static void send_trains(int count, size_t size, int segment)
{
	for (int i = 0; i < SOCKETS; i++) {
		for (int train = 0; train < count; train++)
			send_train(i, size, segment);
	}
}

static void wait_until_all_came(uint64_t bytes)
{
	TURN_UNTIL(scene_count(UDP_RECEIVED_BYTES) == bytes);
}

/* Once round, where scene_turn goes on as long as there is something. */
static void one_turn(void)
{
	ck_assert_int_ge(event_base_loop(scene_loop.base, EVLOOP_ONCE | EVLOOP_NONBLOCK), 0);
}

static bool was_answered(int number)
{
	char byte;

	return recv(clients[number], &byte, 1, MSG_DONTWAIT) >= 0;
}

TEST_CASE("turn", set_up, tear_down);

TEST(floods_of_trains_share_a_turn_that_is_bounded)
{
	uint64_t before, bytes;

	send_trains(1, TRAIN_SIZE, SEGMENT); /* so that each socket knows what they cost */
	wait_until_all_came(SOCKETS * TRAIN_SIZE);
	for (int i = 0; i < SOCKETS; i++) {
		while (was_answered(i))
			;
	}
	send_trains(TRAINS, TRAIN_SIZE, SEGMENT);
	before = scene_count(UDP_RECEIVED_BYTES);
	one_turn();
	bytes = scene_count(UDP_RECEIVED_BYTES) - before;
	ck_assert_uint_gt(bytes, LOOP_BYTES / 4);
	ck_assert_uint_le(bytes, LOOP_BYTES);
	for (int i = 0; i < SOCKETS; i++)
		ck_assert(was_answered(i));
	wait_until_all_came((1 + TRAINS) * SOCKETS * TRAIN_SIZE);
}

TEST(a_new_flood_is_bounded_too)
{
	send_trains(TRAINS, TRAIN_SIZE, SEGMENT);
	one_turn();
	ck_assert_uint_le(scene_count(UDP_RECEIVED_BYTES), LOOP_BYTES);
	for (int i = 0; i < SOCKETS; i++)
		ck_assert(was_answered(i));
	wait_until_all_came(TRAINS * SOCKETS * TRAIN_SIZE);
}

TEST(a_busy_socket_is_not_slowed_by_idle_ones)
{
	uint64_t before;

	for (int i = 0; i < SOCKETS; i++)
		send_datagram(clients[i], &endpoints[i]->socket->address, data, 64);
	wait_until_all_came(SOCKETS * 64);
	send_datagram(clients[0], &endpoints[0]->socket->address, data, 64);
	wait_until_all_came((SOCKETS + 1) * 64); /* a round in which only one is busy */
	before = scene_count(UDP_RECEIVED_DATAGRAMS);
	for (int i = 0; i < QUEUED; i++)
		send_datagram(clients[0], &endpoints[0]->socket->address, data, 64);
	one_turn();
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_DATAGRAMS) - before, QUEUED);
}

TEST(trains_of_tiny_datagrams_are_bounded_by_their_number)
{
	uint64_t before;

	send_trains(1, 64, 1);
	wait_until_all_came(SOCKETS * 64);
	before = scene_count(UDP_RECEIVED_DATAGRAMS);
	send_trains(20, 64, 1);
	one_turn();
	/* Of 64 in each: 2,048 fit, and each socket may exceed its share by one train. */
	ck_assert_uint_le(scene_count(UDP_RECEIVED_DATAGRAMS) - before, 2048 + SOCKETS * 64);
	wait_until_all_came(21 * SOCKETS * 64);
}

TEST(small_datagrams_are_taken_in_full_batches)
{
	uint64_t before;

	for (int i = 0; i < BATCH_SIZE; i++)
		send_datagram(clients[0], &endpoints[0]->socket->address, data, 64);
	before = scene_count(UDP_RECEIVED_DATAGRAMS);
	one_turn();
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_DATAGRAMS) - before, BATCH_SIZE);
}

static size_t resident_pages(void)
{
	static unsigned char pages[BATCH_SIZE * DATAGRAM_MAX / 4096];
	size_t count = 0;

	ck_assert_int_eq(
		mincore(scene_loop.datagrams->batch->payload, BATCH_SIZE * DATAGRAM_MAX, pages), 0);
	for (size_t i = 0; i < sizeof(pages); i++)
		count += pages[i] & 1;
	return count;
}

TEST(memory_goes_back_when_no_more_comes)
{
	send_trains(1, TRAIN_SIZE, SEGMENT);
	wait_until_all_came(SOCKETS * TRAIN_SIZE);
	ck_assert_uint_ge(resident_pages(), TRAIN_SIZE / 4096);
	fake_ms += 1000;
	scene_turn(); /* something came since the timer was set: once more */
	ck_assert_uint_ge(resident_pages(), TRAIN_SIZE / 4096);
	fake_ms += 1000;
	scene_turn();
	ck_assert_uint_eq(resident_pages(), 0);
	/* And again, the next time. */
	send_trains(1, TRAIN_SIZE, SEGMENT);
	wait_until_all_came(2 * SOCKETS * TRAIN_SIZE);
	for (int i = 0; i < 2; i++) {
		fake_ms += 1000;
		scene_turn();
	}
	ck_assert_uint_eq(resident_pages(), 0);
}

TEST(single_small_datagrams_keep_their_page)
{
	send_datagram(clients[0], &endpoints[0]->socket->address, data, 64);
	wait_until_all_came(64);
	for (int i = 0; i < 3; i++) {
		fake_ms += 1000;
		scene_turn();
	}
	ck_assert_uint_eq(resident_pages(), 1);
}
