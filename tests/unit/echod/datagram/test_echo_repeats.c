/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagrams that come again and again: one is not answered at last, which ends a loop. */

#include "config.h"

#include <netinet/udp.h>

#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/log_lines.h"
#include "unit/loop_scene.h"

#define SIZE 60000
#define MEAN ((256 << 20) / SIZE) /* as many of this size are 256 MiB */
#define MOST (2 * MEAN)		  /* no run in a lifetime takes more */

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\nudp_rate = 0\n"

static struct datagram came;
static char data[SIZE];
static struct endpoint *endpoint;
static int client;

static void set_up(void)
{
	need_own_network();
	add_address("192.0.2.1");
	add_address("192.0.2.2");
	scene_open();
	log_lines_begin(LEVEL_INFO);
}

/* Whatever happened, each datagram was counted once more. */
static void tear_down(void)
{
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_DATAGRAMS),
			  scene_count(UDP_ECHOED_DATAGRAMS) + scene_count(UDP_DROPPED_LOOPED));
	log_lines_end();
	close(client);
	scene_close();
}

static void serve(const char *text, const char *host, const char *client_host)
{
	endpoint = scene_serve(scene_service(text, "x"), SOCKET_UDP, host);
	client = datagram_socket(client_host);
}

static void put(void)
{
	send_datagram(client, &endpoint->socket->address, data, SIZE);
}

/* As long as it is answered, and at most so often: how often. */
static unsigned times_answered(unsigned most)
{
	char byte;

	for (unsigned count = 0; count < most; count++) {
		put();
		TURN_UNTIL(scene_count(UDP_RECEIVED_BYTES) == (count + 1) * (uint64_t)SIZE);
		if (recv(client, &byte, 1, MSG_DONTWAIT | MSG_PEEK) < 0)
			return count;
		receive_datagram(client, &came);
		ck_assert_uint_eq(came.size, SIZE);
	}
	return most;
}

TEST_CASE("repeats", set_up, tear_down);

TEST(what_a_loop_would_send_is_not_answered_at_last)
{
	unsigned count;

	serve(PLAIN, "192.0.2.1", "192.0.2.2");
	count = times_answered(MOST);
	ck_assert_uint_gt(count, MEAN / 2);
	ck_assert_uint_lt(count, MOST);
	ck_assert_uint_eq(scene_count(UDP_DROPPED_LOOPED), 1);
	ck_assert_ptr_nonnull(strstr(log_lines(), "not answered: one payload again and again"));
	put();
	TURN_UNTIL(scene_count(UDP_ECHOED_DATAGRAMS) == count + 1);
}

TEST(programs_of_this_host_may_repeat_themselves)
{
	serve(PLAIN, "127.0.0.1", "127.0.0.1");
	ck_assert_uint_eq(times_answered(MOST), MOST);
}

TEST(without_the_hop_guard_everyone_may)
{
	serve(PLAIN "udp_ttl_guard = no\n", "192.0.2.1", "192.0.2.2");
	ck_assert_uint_eq(times_answered(MOST), MOST);
}

TEST(of_a_train_the_last_one_is_not_answered)
{
	uint64_t trains = 0, datagrams = SIZE / 1000;
	int segment = 1000;

	serve(PLAIN, "192.0.2.1", "192.0.2.2");
	if (setsockopt(client, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		skip("this kernel sends no trains");
	for (; scene_count(UDP_DROPPED_LOOPED) == 0 && trains < MOST; trains++) {
		put();
		TURN_UNTIL(scene_count(UDP_RECEIVED_DATAGRAMS) == (trains + 1) * datagrams);
	}
	ck_assert_uint_gt(trains, MEAN / 2);
	ck_assert_uint_eq(scene_count(UDP_DROPPED_LOOPED), 1);
	ck_assert_uint_eq(scene_count(UDP_ECHOED_DATAGRAMS), trains * datagrams - 1);
}
