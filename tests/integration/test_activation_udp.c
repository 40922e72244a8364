/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagram sockets that are handed over: those of both families, and what waited in them. */

#include "config.h"

#include <netinet/udp.h>

#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

/* They came before anybody asked the kernel where such datagrams were sent to. */
static void expect_waiting_answered(const char *own, const char *host)
{
	struct handover handover = {.fds = {bound_socket(own, SOCK_DGRAM)}, .count = 1};
	struct address to = at(host, port_bound_to(handover.fds[0]));
	int fd = datagram_socket(strchr(host, ':') != NULL ? "::1" : "127.0.0.1");
	static struct datagram came;
	struct echod *echod;

	for (int i = 0; i < 3; i++)
		send_datagram(fd, &to, &i, sizeof(i));
	echod = start_with(&handover, "");
	for (int i = 0; i < 3; i++) {
		receive_datagram(fd, &came);
		ck_assert_mem_eq(came.data, &i, sizeof(i));
		ck_assert(address_equal(&came.from, &to));
	}
	close(fd);
	close(handover.fds[0]);
	echod_stop(echod);
}

TEST(datagrams_that_waited_are_answered)
{
	expect_waiting_answered("127.0.0.1", "127.0.0.1");
	expect_waiting_answered("0.0.0.0", "127.0.0.5");
	if (has_ipv6()) {
		expect_waiting_answered("::", "127.0.0.5");
		expect_waiting_answered("::", "::1");
	}
}

/* What systemd makes of ListenDatagram=7: one socket for both families. */
TEST(a_dual_stack_datagram_socket_answers_ipv4_as_ipv4)
{
	struct handover handover = {.count = 1};
	static struct datagram came;
	struct address to;
	int fd;

	need_ipv6();
	handover.fds[0] = bound_socket("::", SOCK_DGRAM);
	start_with(&handover, "");
	to = at("127.0.0.5", port_bound_to(handover.fds[0]));
	fd = datagram_socket("127.0.0.1");
	send_datagram(fd, &to, "four", 4);
	receive_datagram(fd, &came);
	ck_assert(address_equal(&came.from, &to));
	ck_assert_int_eq(came.hops, 63);
	close(fd);
	to = at("::1", port_bound_to(handover.fds[0]));
	fd = datagram_socket("::1");
	send_datagram(fd, &to, "six", 3);
	receive_datagram(fd, &came);
	ck_assert(address_equal(&came.from, &to));
	ck_assert_int_eq(came.hops, 63);
	close(fd);
}

/* Timestamping= of a unit: one more message to find room for, beside those of both families. */
TEST(a_train_to_a_dual_stack_socket_with_times_comes_back)
{
	struct handover handover = {.count = 1};
	static struct datagram came;
	int fd, on = 1, segment = 100;
	static char train[1000];
	struct address to;

	need_ipv6();
	handover.fds[0] = bound_socket("::", SOCK_DGRAM);
	ck_assert_int_eq(setsockopt(handover.fds[0], SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)),
			 0);
	start_with(&handover, "");
	to = at("127.0.0.1", port_bound_to(handover.fds[0]));
	fd = datagram_socket("127.0.0.1");
	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		skip("this kernel has no UDP_SEGMENT");
	send_datagram(fd, &to, train, sizeof(train));
	for (size_t got = 0; got < sizeof(train); got += came.size) {
		receive_datagram(fd, &came);
		ck_assert_uint_eq(came.size, (size_t)segment);
	}
	close(fd);
}

static void expect_drop(struct echod *echod, int fd, const struct address *to, const char *counter)
{
	send_datagram(fd, to, "drop", 4);
	echod_wait_counter(echod, counter, 1);
	ck_assert(nothing_to_read(fd));
}

TEST(a_dual_stack_datagram_socket_judges_ipv4_as_ipv4)
{
	struct handover handover = {.count = 1};
	struct address to;
	struct echod *echod;
	int fd, denied, yes = 1;

	need_ipv6();
	handover.fds[0] = bound_socket("::", SOCK_DGRAM);
	echod = start_with(&handover, "[defaults]\ndeny = 127.0.0.9\n");
	to = at("127.0.0.1", port_bound_to(handover.fds[0]));
	fd = datagram_socket("127.0.0.1");
	denied = datagram_socket("127.0.0.9");
	expect_drop(echod, denied, &to, "udp_dropped_datagrams_denied");
	set_hops(fd, 1);
	expect_drop(echod, fd, &to, "udp_dropped_datagrams_ttl");
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)), 0);
	set_hops(fd, 64);
	to = at("127.255.255.255", port_bound_to(handover.fds[0]));
	expect_drop(echod, fd, &to, "udp_dropped_datagrams_guard");
	expect_datagram_echo(fd, "127.0.0.1", address_port(&to), "this not", 8);
	close(fd);
	close(denied);
}
