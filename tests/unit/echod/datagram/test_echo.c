/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagrams: what comes back and from where, what is not answered, and that all is counted. */

#include "config.h"

#include "echod/datagram/echo.h"

#include <netinet/udp.h>

#include "echod/sockets/socket_options.h"
#include "support/test.h"
#include "unit/fake_clock.h"
#include "unit/log_lines.h"
#include "unit/loop_scene.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"

static struct endpoint *endpoint;
static int client; /* on 127.0.0.1, unless the test has it elsewhere */
static struct datagram came;
static char data[65536];

static void set_up(void)
{
	scene_open();
	fill(data, sizeof(data), 13);
	log_lines_begin(LEVEL_INFO);
	client = datagram_socket("127.0.0.1");
}

static void serve(const char *text, const char *host)
{
	endpoint = scene_serve(scene_service(text, "x"), SOCKET_UDP, host);
}

/* Whatever happened, each datagram was counted once more. */
static void tear_down(void)
{
	uint64_t accounted = scene_count(UDP_ECHOED_DATAGRAMS);

	for (int which = UDP_DROPPED_DENIED; which <= UDP_DROPPED_SEND; which++)
		accounted += scene_count((enum counter)which);
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_DATAGRAMS), accounted);
	log_lines_end();
	scene_close();
}

static uint16_t served_port(void)
{
	return address_port(&endpoint->socket->address);
}

static void put(int fd, const char *host, size_t size)
{
	struct address to = at(host, served_port());

	send_datagram(fd, &to, data, size);
}

static bool something_came(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
}

/* The next datagram for FD is SIZE bytes from AT_BYTE of the data on, and comes from HOST. */
static void expect_back(int fd, const char *host, size_t at_byte, size_t size)
{
	struct address from = at(host, served_port());

	TURN_UNTIL(something_came(fd));
	receive_datagram(fd, &came);
	ck_assert_uint_eq(came.size, size);
	ck_assert_mem_eq(came.data, data + at_byte, size);
	ck_assert(address_equal(&came.from, &from));
}

static void exchange(int fd, const char *host, size_t size)
{
	put(fd, host, size);
	expect_back(fd, host, 0, size);
}

static void expect_dropped(int fd, const char *host, enum counter reason)
{
	uint64_t before = scene_count(reason);

	put(fd, host, 10);
	TURN_UNTIL(scene_count(reason) == before + 1);
	ck_assert(!something_came(fd));
}

TEST_CASE("echo", set_up, tear_down);

TEST(every_size_comes_back_whole)
{
	static const size_t sizes[] = {0, 1, 64, 1472, 1473, 9000, 65507};
	uint64_t bytes = 0;

	serve(PLAIN, "127.0.0.1");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		exchange(client, "127.0.0.1", sizes[i]);
		bytes += sizes[i];
	}
	ck_assert_uint_eq(scene_count(UDP_ECHOED_DATAGRAMS), ARRAY_SIZE(sizes));
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_BYTES), bytes);
	ck_assert_uint_eq(scene_count(UDP_SENT_BYTES), bytes);
}

TEST(the_answer_comes_from_the_address_that_was_asked)
{
	static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "127.255.255.254"};

	serve(PLAIN, "0.0.0.0");
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		exchange(client, hosts[i], 100);
}

static struct listen_socket *adopt(int fd)
{
	struct reason reason;
	struct listen_socket *adopted = listen_socket_adopt(fd, SOCKET_UDP, &reason);

	ck_assert_msg(adopted != NULL, "%s", reason.text);
	return adopted;
}

TEST(what_waited_in_a_handed_socket_is_answered)
{
	struct address any = at("0.0.0.0", 0);
	int handed = new_socket(&any, SOCK_DGRAM);

	ck_assert_int_eq(bind(handed, &any.sa, any.length), 0);
	ck_assert_int_eq(getsockname(handed, &any.sa, &any.length), 0);
	any.in4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	send_datagram(client, &any, data, 10);
	endpoint = scene_serve_socket(scene_service(PLAIN, "x"), adopt(handed));
	expect_back(client, "127.0.0.2", 0, 10);
}

/* As a service manager makes them for a bare port. */
static struct listen_socket *dual_stack(void)
{
	struct address any = at("::", 0);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), both = 0;

	need_ipv6();
	ck_assert_int_eq(setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &both, sizeof(both)), 0);
	ck_assert_int_eq(bind(fd, &any.sa, any.length), 0);
	return adopt(fd);
}

TEST(ipv4_on_a_dual_stack_socket_is_answered_as_ipv4)
{
	struct service *service = scene_service(PLAIN "deny = 127.0.0.66\n", "x");
	int ipv6;

	endpoint = scene_serve_socket(service, dual_stack());
	set_hops(client, 5);
	exchange(client, "127.0.0.3", 100);
	ck_assert_int_eq(came.hops, 4);
	ipv6 = datagram_socket("::1");
	set_hops(ipv6, 7);
	exchange(ipv6, "::1", 100);
	ck_assert_int_eq(came.hops, 6);
	expect_dropped(datagram_socket("127.0.0.66"), "127.0.0.3", UDP_DROPPED_DENIED);
}

TEST(each_answer_has_a_hop_less_and_64_at_most)
{
	static const int hops[][2] = {{2, 1}, {64, 63}, {65, 64}, {66, 64}, {255, 64}};

	serve(PLAIN, "127.0.0.1");
	for (size_t i = 0; i < ARRAY_SIZE(hops); i++) {
		set_hops(client, hops[i][0]);
		exchange(client, "127.0.0.1", 9);
		ck_assert_int_eq(came.hops, hops[i][1]);
	}
	set_hops(client, 1);
	expect_dropped(client, "127.0.0.1", UDP_DROPPED_TTL);
}

TEST(without_the_hop_guard_the_kernel_chooses)
{
	serve(PLAIN "udp_ttl_guard = no\n", "127.0.0.1");
	set_hops(client, 1);
	exchange(client, "127.0.0.1", 9);
	ck_assert_int_ge(came.hops, 64);
}

TEST(a_refusal_is_counted_and_logged_once_in_half_a_minute)
{
	int fd = datagram_socket("127.0.0.5");
	char expected[256];

	serve(PLAIN, "127.0.0.1");
	guard_ports_refuse(&scene_loop.ports, port_bound_to(fd));
	snprintf(expected, sizeof(expected),
		 "<6>udp 127.0.0.5:%u on 127.0.0.1:%u not answered: %s\n", port_bound_to(fd),
		 served_port(), verdict_meanings[PORT_SERVED_HERE].reason);
	for (int i = 0; i < 3; i++)
		expect_dropped(fd, "127.0.0.1", UDP_DROPPED_GUARD);
	ck_assert_str_eq(log_lines(), expected);
	fake_ms += 30000;
	expect_dropped(fd, "127.0.0.1", UDP_DROPPED_GUARD);
	ck_assert_str_eq(log_lines(), expected);
	set_hops(fd, 1); /* one reason does not hide another */
	guard_ports_init(&scene_loop.ports);
	expect_dropped(fd, "127.0.0.1", UDP_DROPPED_TTL);
	ck_assert_ptr_nonnull(strstr(log_lines(), "(udp_ttl_guard)"));
}

static void send_train(int fd, size_t size, uint16_t segment)
{
	struct address to = at("127.0.0.1", served_port());
	int cut = segment;

	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &cut, sizeof(cut)) < 0)
		skip("this kernel sends no trains");
	send_datagram(fd, &to, data, size);
}

TEST(trains_come_back_as_the_datagrams_they_are)
{
	static const size_t trains[][2] = {{1000, 100}, {999, 100}, {60 * 1000, 1000}, {64, 1}};
	uint64_t datagrams = 0;

	serve(PLAIN, "127.0.0.1");
	for (size_t i = 0; i < ARRAY_SIZE(trains); i++) {
		const size_t size = trains[i][0], segment = trains[i][1];

		send_train(client, size, (uint16_t)segment);
		for (size_t byte = 0; byte < size; byte += segment, datagrams++)
			expect_back(client, "127.0.0.1", byte,
				    size - byte < segment ? size - byte : segment);
	}
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_DATAGRAMS), datagrams);
	ck_assert_uint_eq(scene_count(UDP_ECHOED_DATAGRAMS), datagrams);
}

TEST(a_refused_train_counts_as_the_datagrams_it_is)
{
	serve(PLAIN "deny = 127.0.0.0/8\n", "127.0.0.1");
	send_train(client, 950, 100);
	TURN_UNTIL(scene_count(UDP_DROPPED_DENIED) == 10);
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_BYTES), 950);
	ck_assert(!something_came(client));
}

/* A network where sources are not loopback ones: those are exempt from the rate. */
static int serve_at_rate(const char *text)
{
	need_own_network();
	add_address("192.0.2.1");
	serve(text, "127.0.0.1");
	return datagram_socket("192.0.2.1");
}

TEST(a_source_over_its_rate_is_limited_and_logged)
{
	int fd = serve_at_rate(PLAIN "udp_rate = 10\n");
	const char *lines;

	for (int i = 0; i < 200; i++) {
		put(fd, "127.0.0.1", 10);
		scene_turn();
	}
	TURN_UNTIL(scene_count(UDP_RECEIVED_DATAGRAMS) == 200);
	ck_assert_uint_ge(scene_count(UDP_ECHOED_DATAGRAMS), 10);
	ck_assert_uint_le(scene_count(UDP_ECHOED_DATAGRAMS), 100); /* 20, or a slow host */
	lines = log_lines();
	ck_assert_ptr_eq(strstr(lines, "<5>udp 192.0.2.1:"), lines);
	ck_assert_ptr_nonnull(strstr(lines, " not answered: more than 10 datagrams a second from "
					    "one source (udp_rate)\n"));
	ck_assert_ptr_eq(strchr(lines, '\n') + 1, lines + strlen(lines)); /* and no other */
}

TEST(of_a_train_over_the_rate_the_first_ones_come_back)
{
	int fd = serve_at_rate(PLAIN "udp_rate = 5\n");
	uint64_t echoed;

	send_train(fd, 40 * 100, 100);
	TURN_UNTIL(scene_count(UDP_RECEIVED_DATAGRAMS) == 40);
	echoed = scene_count(UDP_ECHOED_DATAGRAMS);
	ck_assert_uint_ge(echoed, 5);
	ck_assert_uint_lt(echoed, 40);
	ck_assert_uint_eq(scene_count(UDP_DROPPED_RATE), 40 - echoed);
	for (size_t i = 0; i < echoed; i++)
		expect_back(fd, "127.0.0.1", i * 100, 100);
	ck_assert(!something_came(fd));
}

TEST(loopback_sources_have_no_rate)
{
	serve(PLAIN "udp_rate = 1\n", "127.0.0.1");
	for (int i = 0; i < 100; i++)
		exchange(client, "127.0.0.1", 10);
}

TEST(a_flood_does_not_keep_the_loop_from_others)
{
	serve(PLAIN, "127.0.0.1");
	if (socket_options_buffers_small(endpoint->socket->fd, SOCKET_UDP))
		skip("net.core.rmem_max leaves no room for so many");
	for (int i = 0; i < 300; i++)
		put(client, "127.0.0.1", 1);
	udp_echo_ready(endpoint->socket->fd, 0, endpoint);
	ck_assert_uint_gt(scene_count(UDP_RECEIVED_DATAGRAMS), 64);
	ck_assert_uint_le(scene_count(UDP_RECEIVED_DATAGRAMS), 256);
	TURN_UNTIL(scene_count(UDP_ECHOED_DATAGRAMS) == 300);
}
