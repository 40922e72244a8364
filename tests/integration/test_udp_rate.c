/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* How much one source gets over UDP, and what is said about it. */

#include "config.h"

#include <netinet/udp.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

static const char limited[] = "[server]\n"
			      "workers = 1\n"
			      "[listener udp]\n"
			      "address = *:0\n"
			      "protocol = udp\n"
			      "udp_rate = 10\n";

#define RATE 10
#define BURST 1000
#define AT_ONCE 100 /* for which the smallest of buffers has room */

static uint64_t dropped_by_rate(struct echod *echod)
{
	return echod_counter(echod, "udp_dropped_datagrams_rate");
}

/* A burst of which the kernel drops nothing, though echod may stall. */
static void send_burst(struct echod *echod, int fd, const struct address *to)
{
	for (int i = 1; i <= BURST; i++) {
		send_datagram(fd, to, &i, sizeof(i));
		if (i % AT_ONCE == 0)
			echod_wait_counter(echod, "udp_received_datagrams", (uint64_t)i);
	}
}

/* How many of COUNT datagrams were echoed, when all are counted: nothing is left out. */
static uint64_t echoed_of(struct echod *echod, uint64_t count)
{
	uint64_t echoed = 0;

	echod_wait_counter(echod, "udp_received_datagrams", count);
	WAIT_UNTIL((echoed = echod_counter(echod, "udp_echoed_datagrams")) +
			   dropped_by_rate(echod) ==
		   count);
	return echoed;
}

TEST(a_source_over_the_rate_is_answered_in_part)
{
	struct echod *echod;
	struct address to;
	uint64_t echoed;
	int fd;

	need_own_network();
	add_address("192.0.2.7");
	echod = echod_start(limited);
	to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	fd = datagram_socket("192.0.2.7");
	send_burst(echod, fd, &to);
	echoed = echoed_of(echod, BURST);
	ck_assert_uint_ge(echoed, RATE);
	ck_assert_uint_gt(dropped_by_rate(echod), BURST / 2);
	echod_wait_log(echod, "not answered: more than 10 datagrams a second from one source "
			      "(udp_rate)");
	ck_assert_uint_eq(echod_log_count(echod, "(udp_rate)"), 1);
	close(fd);
}

TEST(one_source_over_the_rate_does_not_mute_another)
{
	struct echod *echod;
	struct address to;
	int loud, other;

	need_own_network();
	add_address("192.0.2.7");
	add_address("192.0.2.8");
	echod = echod_start(limited);
	to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	loud = datagram_socket("192.0.2.7");
	other = datagram_socket("192.0.2.8");
	send_burst(echod, loud, &to);
	for (int i = 0; i < RATE; i++)
		expect_datagram_echo(other, "192.0.2.7", echod_port(echod, "udp 0.0.0.0"), "other",
				     5);
	close(loud);
	close(other);
}

TEST(loopback_sources_have_no_rate)
{
	struct echod *echod = echod_start(limited);
	int fd = datagram_socket("127.0.0.1");

	for (int i = 0; i < BURST; i++)
		expect_datagram_echo(fd, "127.0.0.1", echod_port(echod, "udp 0.0.0.0"), &i,
				     sizeof(i));
	ck_assert_uint_eq(dropped_by_rate(echod), 0);
	close(fd);
}

/* As many as there is room for, from the front. */
TEST(a_train_over_the_rate_loses_its_tail)
{
	static struct datagram came;
	struct echod *echod;
	struct address to;
	int fd, segment = 100;
	char data[40 * 100];
	uint64_t echoed;

	need_own_network();
	add_address("192.0.2.7");
	echod = echod_start(limited);
	to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	fd = datagram_socket("192.0.2.7");
	fill(data, sizeof(data), 1);
	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		skip("this kernel sends no trains of datagrams");
	send_datagram(fd, &to, data, sizeof(data));
	echoed = echoed_of(echod, 40);
	ck_assert_uint_ge(echoed, RATE);
	ck_assert_uint_gt(dropped_by_rate(echod), 0);
	for (uint64_t i = 0; i < echoed; i++) {
		receive_datagram(fd, &came);
		ck_assert_uint_eq(came.size, 100);
		ck_assert_mem_eq(came.data, data + i * 100, 100);
	}
	ck_assert(nothing_to_read(fd));
	close(fd);
}
