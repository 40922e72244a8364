/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Many TCP clients, and such as do not behave: nobody suffers, and nothing stays behind. */

#include "config.h"

#include <poll.h>
#include <sys/resource.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

/* For what follows one another on one loop. */
static const char one_worker[] = "[server]\n"
				 "workers = 1\n"
				 "[listener tcp]\n"
				 "address = 127.0.0.1:0\n"
				 "protocol = tcp\n";

static void allow_descriptors(rlim_t wanted)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < wanted)
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

#define CROWD 500
#define CROWD_ROUNDS 4
#define CROWD_SIZE 3000

/* All send before the first one reads, in every round something else. */
TEST(no_byte_crosses_over_among_500_clients)
{
	struct echod *echod;
	int fds[CROWD];
	char sent[CROWD_SIZE], came[CROWD_SIZE];

	allow_descriptors(CROWD + 64);
	echod = echod_start("[listener all]\naddress = 127.0.0.1:0\n");
	for (unsigned i = 0; i < CROWD; i++)
		fds[i] = connect_to("127.0.0.1", port_of(echod));
	for (unsigned round = 0; round < CROWD_ROUNDS; round++) {
		for (unsigned i = 0; i < CROWD; i++) {
			fill(sent, CROWD_SIZE, round * CROWD + i);
			send_all(fds[i], sent, CROWD_SIZE - i);
		}
		for (unsigned i = 0; i < CROWD; i++) {
			fill(sent, CROWD_SIZE, round * CROWD + i);
			recv_exact(fds[i], came, CROWD_SIZE - i);
			ck_assert_mem_eq(came, sent, CROWD_SIZE - i);
		}
	}
	echod_wait_counter(echod, "tcp_connections", CROWD);
	for (unsigned i = 0; i < CROWD; i++) {
		ck_assert(nothing_to_read(fds[i]));
		close(fds[i]);
	}
	echod_wait_counter(echod, "tcp_connections", 0);
}

/* Full is when there has been no room for a while, not when there is none right now. */
#define SETTLED_MS 100

/* Writes until the whole way, there and back, is full; how much that was. */
static size_t fill_the_way(int fd)
{
	static char data[64 * 1024];
	struct pollfd polled = {.fd = fd, .events = POLLOUT};
	size_t total = 0;
	ssize_t n;

	while (poll(&polled, 1, SETTLED_MS) > 0) {
		n = send(fd, data, sizeof(data), MSG_DONTWAIT | MSG_NOSIGNAL);
		ck_assert_msg(n > 0 || errno == EAGAIN, "send: %s", strerror(errno));
		total += n > 0 ? (size_t)n : 0;
	}
	return total;
}

#define STATES 6
#define STALLED 8

/* Brings a new connection into one of the states that a connection can end in, and ends it. */
static void come_and_go(uint16_t port, int state)
{
	int fd = connect_to("127.0.0.1", port);
	char data[30000];

	switch (state) {
	case 0: /* nothing done */
		reset(fd);
		return;
	case 1: /* something on the way */
		send_all(fd, "x", 1);
		reset(fd);
		return;
	case 2: /* served, idle */
		expect_echo(fd, "round trip", 10);
		reset(fd);
		return;
	case 3: /* half-closed */
		send_all(fd, "x", 1);
		shutdown(fd, SHUT_WR);
		reset(fd);
		return;
	case 4: /* an echo that nobody reads */
		fill(data, sizeof(data), 5);
		send_all(fd, data, sizeof(data));
		reset(fd);
		return;
	default: /* and one that ends well */
		expect_echo(fd, "round trip", 10);
		close(fd);
	}
}

/* Connections that wait to be written to when they are reset. */
static void stall_and_go(uint16_t port)
{
	int fd = connect_to("127.0.0.1", port);

	fill_the_way(fd);
	reset(fd);
}

TEST(ten_thousand_connections_leave_nothing_behind)
{
	long count = scale("ECHOD_TEST_CONNECTIONS", instrumented() ? 1000 : 10000);
	struct echod *echod = echod_start(one_worker);
	size_t resident = 0;
	int descriptors = echod_descriptors(echod);

	for (long i = 0; i < count; i++) {
		if (i == count / 10) {
			/* What is allocated once, for good, is there by now. */
			stall_and_go(port_of(echod));
			resident = echod_resident_kib(echod);
		}
		come_and_go(port_of(echod), (int)(i % STATES));
	}
	for (int i = 0; i < STALLED; i++)
		stall_and_go(port_of(echod));
	echod_wait_counter(echod, "tcp_connections", 0);
	ck_assert_int_eq(echod_descriptors(echod), descriptors);
	if (!instrumented())
		ck_assert_uint_lt(echod_resident_kib(echod), resident + 1024);
}

#define PENDING_MAX (1024 * 1024) /* the largest scratch buffer that would do */

/* What was received and could not be sent back yet. */
static uint64_t pending(struct echod *echod)
{
	uint64_t sent = echod_counter(echod, "sent_bytes_tcp");

	return echod_counter(echod, "received_bytes_tcp") - sent;
}

TEST(clients_that_never_read_cost_little_and_delay_nobody)
{
	struct echod *echod = echod_start(one_worker);
	int stalled[STALLED], other = connect_to("127.0.0.1", port_of(echod));
	size_t resident;
	char ping[64];

	expect_echo(other, "x", 1);
	resident = echod_resident_kib(echod);
	for (int i = 0; i < STALLED; i++) {
		stalled[i] = connect_to("127.0.0.1", port_of(echod));
		fill_the_way(stalled[i]);
	}
	ck_assert_uint_gt(pending(echod), 0);
	ck_assert_uint_le(pending(echod), STALLED * PENDING_MAX);
	if (!instrumented())
		ck_assert_uint_lt(echod_resident_kib(echod),
				  resident + STALLED * PENDING_MAX / 1024);
	for (uint32_t i = 0; i < 1000; i++) {
		fill(ping, sizeof(ping), i);
		expect_echo(other, ping, sizeof(ping));
	}
	for (int i = 0; i < STALLED; i++)
		reset(stalled[i]);
	close(other);
}

TEST(a_client_that_reads_at_last_gets_every_byte)
{
	struct echod *echod = echod_start(one_worker);
	int fd = connect_to("127.0.0.1", port_of(echod));
	static char zeros[64 * 1024];
	char came[sizeof(zeros)];
	size_t left = fill_the_way(fd), size;

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	for (; left > 0; left -= size) {
		size = left < sizeof(came) ? left : sizeof(came);
		recv_exact(fd, came, size);
		ck_assert_mem_eq(came, zeros, size);
	}
	expect_end(fd);
	close(fd);
}
