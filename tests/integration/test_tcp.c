/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The echo of TCP, as its clients see it: every byte, in order, to each its own. Many clients, and
 * such as do not behave: the others are served, and nothing stays behind. With more clients than
 * descriptors, enough are left for a reload and the metrics.
 */

#include "config.h"

#include <poll.h>
#include <sys/resource.h>

#include "integration/endpoint.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/program.h"

#define MIB (1024 * 1024)

/* For what follows one another on one loop. */
static const char one_worker[] = "[server]\n"
				 "workers = 1\n"
				 "[listener tcp]\n"
				 "address = 127.0.0.1:0\n"
				 "protocol = tcp\n";

static char *random_bytes(size_t size, uint32_t seed)
{
	char *data = malloc(size);

	ck_assert_ptr_nonnull(data);
	fill(data, size, seed);
	return data;
}

TEST(half_close_returns_every_byte)
{
	struct echod *echod = echod_start(one_worker);
	int fd = connect_to("127.0.0.1", port_of(echod));
	size_t size = 16 * MIB;
	char *data = random_bytes(size, 1);

	pump(fd, fd, data, size, size);
	echod_wait_counter(echod, "sent_bytes_tcp", size);
	echod_wait_counter(echod, "received_bytes_tcp", size);
	echod_wait_counter(echod, "tcp_closed_client", 1);
	close(fd);
	free(data);
}

TEST(no_data_and_the_end_comes_back)
{
	struct echod *echod = echod_start(one_worker);
	int fd = connect_to("127.0.0.1", port_of(echod));

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	expect_end(fd);
}

TEST_EACH(netcat_gets_every_byte, 2)
{
	const char *arguments[][5] = {{"nc", "-N", "127.0.0.1"}, {"ncat", "127.0.0.1"}};
	const char **last = &arguments[_i][_i == 0 ? 3 : 2];
	size_t size = 4 * MIB;
	struct program program;
	char *data, port[8];

	if (!installed(arguments[_i][0]))
		skip("%s is not installed", arguments[_i][0]);
	snprintf(port, sizeof(port), "%d", port_of(echod_start(one_worker)));
	*last = port;
	data = random_bytes(size, 4);
	program_start(&program, arguments[_i]);
	pump(program.in, program.out, data, size, size);
	program.in = -1;
	ck_assert_int_eq(program_wait(&program), 0);
	free(data);
}

/* Sends and does not read: what comes back is thrown away by the kernel at our end. */
TEST(a_client_that_only_sends_is_taken_in)
{
	struct echod *echod = echod_start(one_worker);
	int fd = connect_to("127.0.0.1", port_of(echod));

	send_all(fd, "and gone", 8);
	close(fd);
	echod_wait_counter(echod, "tcp_connections", 0);
	echod_wait_counter(echod, "received_bytes_tcp", 8);
}

TEST(an_urgent_byte_comes_back_in_its_place)
{
	struct echod *echod = echod_start(one_worker);
	int fd = connect_to("127.0.0.1", port_of(echod));

	send_all(fd, "ab", 2);
	ck_assert_int_eq((int)send(fd, "U", 1, MSG_OOB), 1);
	send_all(fd, "cd", 2);
	expect_text(fd, "abUcd");
	/* And when it is the last one. */
	ck_assert_int_eq((int)send(fd, "!", 1, MSG_OOB), 1);
	expect_text(fd, "!");
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	expect_end(fd);
}

static void allow_descriptors(rlim_t wanted)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	if (limit.rlim_cur < wanted)
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

TEST_CASE("many");

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

/* Writes until all buffers of both directions are full; returns how much that was. */
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
	case 4: /* an echo that is not read */
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
}

#define SERVER "[server]\nworkers = 2\nmetrics = 127.0.0.1:0\nmax_clients = "
#define LISTENER "[listener a]\naddress = 127.0.0.1:0\nprotocol = tcp\n"
#define CLIENTS 200

/* Of 64 descriptors 32 are for other things, 2 listen, each worker has 5, and the metrics 17. */
#define SERVED 3

static void leave_descriptors(void *arg)
{
	const rlim_t *descriptors = arg;
	struct rlimit few = {.rlim_cur = *descriptors, .rlim_max = *descriptors};

	if (setrlimit(RLIMIT_NOFILE, &few) < 0)
		_exit(EXIT_FAILURE);
}

static struct echod *start_with_descriptors(rlim_t descriptors, const char *config)
{
	return echod_start_with(
		ECHOD(.config = config, .prepare = leave_descriptors, .arg = &descriptors));
}

TEST_CASE("few descriptors");

TEST(clients_leave_descriptors_for_a_reload_and_the_metrics)
{
	struct echod *echod = start_with_descriptors(64, SERVER "1000\n" LISTENER);
	uint16_t port = port_of(echod);
	int clients[CLIENTS];

	for (int i = 0; i < CLIENTS; i++) {
		clients[i] = connect_to("127.0.0.1", port);
		if (i < SERVED)
			expect_echo(clients[i], "served", 6);
	}
	echod_wait_counter(echod, "tcp_rejected_max_clients", CLIENTS - SERVED);
	ck_assert_uint_eq(metric_value(echod, "tcp_connections_max"), SERVED);
	ck_assert_int_eq(endpoint_status(echod, "/healthz"), 200);
	echod_reload(echod, SERVER "1000\n" LISTENER "address = 127.0.0.2:0\n");
	ck_assert_uint_eq(echod_log_count(echod, "reloaded\n"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "Too many open files"), 0);
	ck_assert_int_eq(endpoint_status(echod, "/healthz"), 200);
	for (int i = 0; i < CLIENTS; i++) {
		if (i < SERVED)
			expect_echo(clients[i], "still", 5);
		close(clients[i]);
	}
}

static void expect_warnings(struct echod *echod, const char *text, size_t count)
{
	ck_assert_msg(echod_log_count(echod, text) == count, "not %zu times \"%s\": %s", count,
		      text, echod_log(echod));
}

TEST(a_limit_that_cannot_hold_is_logged_when_it_is_set)
{
	struct echod *echod = start_with_descriptors(100, SERVER "1000\n" LISTENER);
	static const char first[] = "max_clients is 1000, but descriptors allow only 39 clients: "
				    "raise LimitNOFILE= (ulimit -n)\n";

	expect_warnings(echod, first, 1);
	echod_reload(echod, SERVER "1000\n" LISTENER);
	expect_warnings(echod, first, 1);
	echod_reload(echod, SERVER "2000\n" LISTENER);
	expect_warnings(echod, "max_clients is 2000, but descriptors allow only 39", 1);
	echod_reload(echod, SERVER "auto\n" LISTENER);
	expect_warnings(echod, "descriptors allow only", 2);
}

TEST(descriptors_for_one_client_are_warned_about)
{
	struct echod *echod = start_with_descriptors(50, SERVER "auto\n" LISTENER);
	int fd = connect_to("127.0.0.1", port_of(echod));

	expect_warnings(echod, "descriptors allow only 1 client: raise LimitNOFILE=", 1);
	expect_echo(fd, "the one", 7);
}
