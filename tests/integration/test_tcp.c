/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The echo of TCP, as its clients see it: every byte, in order, to each its own. */

#include "config.h"

#include <netinet/tcp.h>

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

TEST_CASE("bytes");

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

TEST(single_bytes_come_back)
{
	struct echod *echod = echod_start(one_worker);
	int fd = connect_to("127.0.0.1", port_of(echod));
	char data[20000];
	int at_once = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_TCP, TCP_NODELAY, &at_once, sizeof(at_once)), 0);
	fill(data, sizeof(data), 2);
	pump(fd, fd, data, sizeof(data), 1);
	close(fd);
}

TEST(no_data_and_the_end_comes_back)
{
	struct echod *echod = echod_start(one_worker);
	int fd = connect_to("127.0.0.1", port_of(echod));

	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	expect_end(fd);
	close(fd);
}

/* The client writes all there is before it reads a byte, so most of it waits in the kernel. */
TEST(the_end_waits_for_a_late_reader)
{
	struct echod *echod = echod_start(one_worker);
	int fd = connect_to("127.0.0.1", port_of(echod));
	size_t size = 128 * 1024;
	char *data = random_bytes(size, 3), *came = malloc(size);

	send_all(fd, data, size);
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	echod_wait_counter(echod, "received_bytes_tcp", size);
	recv_exact(fd, came, size);
	ck_assert_mem_eq(came, data, size);
	expect_end(fd);
	close(fd);
	free(came);
	free(data);
}

static void pump_through(const char *const arguments[])
{
	size_t size = 4 * MIB;
	char *data = random_bytes(size, 4);
	struct program program;

	program_start(&program, arguments);
	pump(program.in, program.out, data, size, size);
	program.in = -1;
	ck_assert_int_eq(program_wait(&program), 0);
	free(data);
}

TEST(netcat_gets_every_byte)
{
	const char *arguments[] = {"nc", "-N", "127.0.0.1", NULL, NULL};
	struct echod *echod;
	char port[8];

	if (!installed("nc"))
		skip("nc is not installed");
	echod = echod_start(one_worker);
	snprintf(port, sizeof(port), "%d", port_of(echod));
	arguments[3] = port;
	pump_through(arguments);
}

TEST(ncat_gets_every_byte)
{
	const char *arguments[] = {"ncat", "127.0.0.1", NULL, NULL};
	struct echod *echod;
	char port[8];

	if (!installed("ncat"))
		skip("ncat is not installed");
	echod = echod_start(one_worker);
	snprintf(port, sizeof(port), "%d", port_of(echod));
	arguments[2] = port;
	pump_through(arguments);
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
	close(fd);
}

TEST_CASE("addresses");

TEST(one_number_serves_both_families_and_protocols)
{
	struct echod *echod;
	uint16_t port;
	int fd;

	need_ipv6();
	echod = echod_start("[listener all]\naddress = *:0\n");
	port = echod_port(echod, "tcp 0.0.0.0");
	ck_assert_uint_ne(port, 0);
	ck_assert_uint_eq(echod_port(echod, "tcp [::]"), port);
	ck_assert_uint_eq(echod_port(echod, "udp 0.0.0.0"), port);
	ck_assert_uint_eq(echod_port(echod, "udp [::]"), port);
	for (int i = 0; i < 2; i++) {
		const char *host = i == 0 ? "127.0.0.1" : "::1";

		fd = connect_to(host, port);
		expect_echo(fd, host, strlen(host));
		close(fd);
		fd = datagram_socket(host);
		expect_datagram_echo(fd, host, port, host, strlen(host));
		close(fd);
	}
	/* Each address, family and protocol is announced once, not by every worker. */
	ck_assert_uint_eq(echod_log_count(echod, "listening on"), 4);
}

TEST(localhost_is_both_loopback_addresses)
{
	struct echod *echod;
	uint16_t port;
	int fd;

	need_ipv6();
	echod = echod_start("[listener all]\naddress = localhost:0\n");
	port = port_of(echod);
	ck_assert_uint_eq(echod_port(echod, "tcp [::1]"), port);
	fd = connect_to("::1", port);
	expect_echo(fd, "v6", 2);
	close(fd);
	ck_assert_int_lt(try_connect("127.0.0.2", port), 0);
	ck_assert_int_eq(errno, ECONNREFUSED);
}

TEST(two_listeners_keep_their_own_settings)
{
	struct echod *echod = echod_start("[listener once]\n"
					  "address = 127.0.0.2:0\n"
					  "prefix = Received:\\x20\n"
					  "reply_once = yes\n"
					  "[listener greeter]\n"
					  "address = 127.0.0.3:0\n"
					  "greeting = Hello\\r\\n\n"
					  "[listener plain]\n"
					  "address = 127.0.0.4:0\n");
	int once = connect_to("127.0.0.2", echod_port(echod, "tcp 127.0.0.2"));
	int greeter = connect_to("127.0.0.3", echod_port(echod, "tcp 127.0.0.3"));
	int plain = connect_to("127.0.0.4", echod_port(echod, "tcp 127.0.0.4"));

	expect_text(greeter, "Hello\r\n");
	expect_echo(greeter, "one", 3);
	expect_echo(greeter, "two", 3);
	send_all(once, "one", 3);
	expect_text(once, "Received: one");
	expect_end(once);
	expect_echo(plain, "one", 3);
	expect_echo(plain, "two", 3);
	close(once);
	close(greeter);
	close(plain);
}

/* Overlapping addresses: as in the kernel, the most specific one wins. */
TEST(the_most_specific_listener_answers)
{
	struct echod *echod;
	uint16_t port;
	char config[256];
	int fd;

	/* Where nobody else takes the number meanwhile. */
	need_own_network();
	echod = echod_start("[listener any]\naddress = 0.0.0.0:0\n");
	port = echod_port(echod, "tcp 0.0.0.0");
	echod_stop(echod);
	snprintf(config, sizeof(config),
		 "[listener any]\naddress = 0.0.0.0:%d\n"
		 "[listener one]\naddress = 127.0.0.9:%d\ngreeting = special\n",
		 port, port);
	echod = echod_start(config);
	fd = connect_to("127.0.0.9", port);
	expect_text(fd, "special");
	close(fd);
	fd = connect_to("127.0.0.1", port);
	expect_echo(fd, "plain", 5);
	close(fd);
}

TEST(without_ipv6_there_is_one_warning_and_ipv4)
{
	static const char knob[] = "/proc/sys/net/ipv6/conf/all/disable_ipv6";
	struct echod *echod;
	FILE *file;
	int fd;

	need_own_network();
	file = fopen(knob, "we");
	if (file == NULL || fputs("1", file) < 0 || fclose(file) != 0)
		skip("cannot write to %s", knob);
	echod = echod_start("[listener both]\naddress = localhost:0\n");
	ck_assert_uint_eq(echod_log_count(echod, "no IPv6"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "listening on tcp [::1]"), 0);
	fd = connect_to("127.0.0.1", port_of(echod));
	expect_echo(fd, "v4", 2);
	close(fd);
}
