/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The echo of UDP: whole, in order, from the address that was asked, trains included. */

#include "config.h"

#include <netinet/udp.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

#define IPV4_MOST 65507
#define IPV6_MOST 65527

static const char everywhere[] = "[server]\nlog_level = info\n"
				 "[listener udp]\naddress = *:0\nprotocol = udp\n";

static uint16_t port_at(struct echod *echod, int family)
{
	return echod_port(echod, family == 0 ? "udp 0.0.0.0" : "udp [::]");
}

/* From an address of its own, so that the kernel alone does not choose the right one to reply. */
static void ask(struct echod *echod, const char *from, const char *host, const char *where)
{
	int fd = datagram_socket(from);

	expect_datagram_echo(fd, host, echod_port(echod, where), host, strlen(host));
	close(fd);
}

TEST(the_address_that_was_asked_answers)
{
	struct echod *echod = echod_start(everywhere);

	ask(echod, "127.0.0.1", "127.0.0.1", "udp 0.0.0.0");
	ask(echod, "127.0.0.1", "127.0.0.5", "udp 0.0.0.0");
	ask(echod, "127.0.0.1", "127.255.255.254", "udp 0.0.0.0");
}

TEST_EACH(each_of_several_addresses_answers_for_itself, 2)
{
	static const char *const hosts[][3] = {{"192.0.2.7", "198.51.100.7", "203.0.113.7"},
					       {"2001:db8::7", "2001:db8::8", "2001:db8::9"}};
	static const char *const own[] = {"127.0.0.1", "2001:db8::a"};
	struct echod *echod;

	need_own_network();
	(void)loopback_of(_i);
	for (size_t i = 0; i < ARRAY_SIZE(hosts[0]); i++)
		add_address(hosts[_i][i]);
	if (_i == 1)
		add_address(own[_i]);
	echod = echod_start(everywhere);
	for (size_t i = 0; i < ARRAY_SIZE(hosts[0]); i++)
		ask(echod, own[_i], hosts[_i][i], _i == 0 ? "udp 0.0.0.0" : "udp [::]");
}

static void expect_all_echoed(struct echod *echod)
{
	WAIT_UNTIL(echod_counter(echod, "udp_echoed_datagrams") ==
		   echod_counter(echod, "udp_received_datagrams"));
}

TEST_EACH(every_size_comes_back_whole, 2)
{
	size_t sizes[] = {0, 1, 1472, 1473, 9000, 65507, _i == 0 ? IPV4_MOST : IPV6_MOST};
	const char *host = loopback_of(_i);
	struct echod *echod = echod_start(everywhere);
	int fd = datagram_socket(host);
	static char data[DATAGRAM_ROOM];

	fill(data, sizeof(data), 1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		expect_datagram_echo(fd, host, port_at(echod, _i), data + i, sizes[i]);
	expect_all_echoed(echod);
}

#define WINDOW 32
#define WINDOWS 64

TEST(one_flow_keeps_its_order)
{
	struct echod *echod = echod_start(everywhere);
	struct address to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	int fd = datagram_socket("127.0.0.1");
	static struct datagram came;
	uint32_t number = 0;

	for (int window = 0; window < WINDOWS; window++) {
		for (uint32_t i = 0; i < WINDOW; i++) {
			uint32_t next = number + i;

			send_datagram(fd, &to, &next, sizeof(next));
		}
		for (uint32_t i = 0; i < WINDOW; i++, number++) {
			receive_datagram(fd, &came);
			ck_assert_uint_eq(came.size, sizeof(number));
			ck_assert_mem_eq(came.data, &number, sizeof(number));
		}
	}
}

#define PEERS 3
#define PER_PEER 15

/* What peer PEER sends as number I: some empty, some alike, with hop limits of their own. */
static size_t make_mixed(char *data, int peer, int i)
{
	static const size_t sizes[] = {20, 20, 20, 7, 20, 0, 20, 20, 21, 20, 1400, 1400, 3, 2, 1};

	fill(data, 1400, (uint32_t)(peer * PER_PEER + i));
	return sizes[i];
}

static int mixed_hops(int i)
{
	return i < 10 ? 64 : 40;
}

/* They wait while echod is stopped, so that it finds them all at once. */
TEST(a_batch_of_many_peers_comes_back_to_each_whole_and_in_order)
{
	struct echod *echod = echod_start(everywhere);
	struct address to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	static struct datagram came;
	char data[1400];
	int peers[PEERS];

	echod_pause(echod);
	for (int peer = 0; peer < PEERS; peer++)
		peers[peer] = datagram_socket("127.0.0.1");
	for (int i = 0; i < PER_PEER; i++) {
		for (int peer = 0; peer < PEERS; peer++) {
			set_hops(peers[peer], mixed_hops(i));
			send_datagram(peers[peer], &to, data, make_mixed(data, peer, i));
		}
	}
	echod_signal(echod, SIGCONT);
	for (int peer = 0; peer < PEERS; peer++) {
		for (int i = 0; i < PER_PEER; i++) {
			size_t size = make_mixed(data, peer, i);

			receive_datagram(peers[peer], &came);
			ck_assert_uint_eq(came.size, size);
			ck_assert_mem_eq(came.data, data, size);
			ck_assert_int_eq(came.hops, mixed_hops(i) - 1);
		}
		close(peers[peer]);
	}
	expect_all_echoed(echod);
}

/* Sends SIZE bytes as one train; false where the kernel does not do that. */
static bool send_train(int fd, const struct address *to, const char *data, size_t size, int segment)
{
	ssize_t sent;

	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		return false;
	sent = sendto(fd, data, size, 0, &to->sa, to->length);
	if (sent < 0 && errno == EINVAL)
		return false;
	ck_assert_msg(sent == (ssize_t)size, "sendto: %s", strerror(errno));
	segment = 0;
	ck_assert_int_eq(setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment)), 0);
	return true;
}

static void expect_train(int fd, const char *data, size_t size, size_t segment)
{
	static struct datagram came;
	size_t next;

	for (size_t done = 0; done < size; done += next) {
		next = size - done < segment ? size - done : segment;
		receive_datagram(fd, &came);
		ck_assert_uint_eq(came.size, next);
		ck_assert_mem_eq(came.data, data + done, next);
	}
}

TEST_EACH(trains_keep_boundaries_and_order, 2)
{
	static const struct {
		size_t size;
		int segment;
	} trains[] = {{20000, 1000}, {19301, 1000}, {64, 1},	   {63, 2},
		      {1472, 1472},  {2000, 1472},  {64768, 1472}, {65000, 9000}};
	const char *host = loopback_of(_i);
	struct echod *echod = echod_start(everywhere);
	struct address to = at(host, port_at(echod, _i));
	int fd = datagram_socket(host);
	static char data[65000];

	for (size_t i = 0; i < ARRAY_SIZE(trains); i++) {
		fill(data, sizeof(data), (uint32_t)i);
		if (!send_train(fd, &to, data, trains[i].size, trains[i].segment))
			skip("this kernel sends no trains of datagrams");
		expect_train(fd, data, trains[i].size, (size_t)trains[i].segment);
	}
	ck_assert(nothing_to_read(fd));
	expect_all_echoed(echod);
}

/* A receiver of trains sees that they came as one. */
TEST(what_waited_together_leaves_as_one_train)
{
	struct echod *echod = echod_start(everywhere);
	struct address to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	int fd = datagram_socket("127.0.0.1"), yes = 1;
	char came[100];

	if (setsockopt(fd, SOL_UDP, UDP_GRO, &yes, sizeof(yes)) < 0)
		skip("this kernel knows no trains of datagrams");
	echod_pause(echod);
	for (int i = 0; i < 10; i++)
		send_datagram(fd, &to, "0123456789", 10);
	echod_signal(echod, SIGCONT);
	ck_assert_int_eq(recv(fd, came, sizeof(came), 0), 100);
}

TEST(askers_that_are_gone_do_no_harm)
{
	struct echod *echod = echod_start(everywhere);
	struct address to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	int fd;

	for (int i = 0; i < 100; i++) {
		fd = datagram_socket("127.0.0.1");
		send_datagram(fd, &to, "gone", 4);
		close(fd);
	}
	ask(echod, "127.0.0.1", "127.0.0.1", "udp 0.0.0.0");
	echod_wait_counter(echod, "udp_received_datagrams", 101);
}

/* Sends from FD, and sees that COUNTER goes up by one and nothing comes back. */
static void expect_silence(struct echod *echod, int fd, const char *host, uint16_t port,
			   const char *counter)
{
	uint64_t before = echod_counter(echod, counter);
	struct address to = at(host, port);

	send_datagram(fd, &to, "answer?", 7);
	echod_wait_counter(echod, counter, before + 1);
	ck_assert(nothing_to_read(fd));
}

TEST(a_port_served_here_gets_no_answer)
{
	struct echod *echod = echod_start("[server]\n"
					  "log_level = info\n"
					  "[listener one]\naddress = 127.0.0.1:0\nprotocol = udp\n"
					  "[listener two]\naddress = 127.0.0.2:0\n");
	uint16_t one = echod_port(echod, "udp 127.0.0.1"), two = echod_port(echod, "udp 127.0.0.2");
	/* As another host's echo server would ask: from the same port at another address. */
	int fd = datagram_socket_at("127.0.0.3", two);

	expect_silence(echod, fd, "127.0.0.1", one, "udp_dropped_datagrams_guard");
	expect_silence(echod, fd, "127.0.0.2", two, "udp_dropped_datagrams_guard");
	echod_wait_log(echod, "not answered: source port served here (udp_guard)");
}

/* One worker, as a broadcast reaches the socket of each. */
TEST(a_broadcast_gets_no_answer)
{
	struct echod *echod = echod_start("[server]\nworkers = 1\nlog_level = info\n"
					  "[listener udp]\naddress = *:0\nprotocol = udp\n");
	int fd = datagram_socket("127.0.0.1"), yes = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)), 0);
	expect_silence(echod, fd, "127.255.255.255", echod_port(echod, "udp 0.0.0.0"),
		       "udp_dropped_datagrams_guard");
	echod_wait_log(echod, "not answered: sent to broadcast or multicast (udp_guard)");
}

static int hops_of_reply(int fd, const char *host, uint16_t port, int hops)
{
	static struct datagram came;
	struct address to = at(host, port);

	set_hops(fd, hops);
	send_datagram(fd, &to, "hops", 4);
	receive_datagram(fd, &came);
	ck_assert_uint_eq(came.size, 4);
	return came.hops;
}

TEST_EACH(a_reply_has_one_hop_less_to_go, 2)
{
	const char *host = loopback_of(_i);
	struct echod *echod = echod_start(everywhere);
	uint16_t port = port_at(echod, _i);
	int fd = datagram_socket(host);

	ck_assert_int_eq(hops_of_reply(fd, host, port, 64), 63);
	ck_assert_int_eq(hops_of_reply(fd, host, port, 255), 64);
	ck_assert_int_eq(hops_of_reply(fd, host, port, 65), 64);
	ck_assert_int_eq(hops_of_reply(fd, host, port, 2), 1);
	set_hops(fd, 1);
	expect_silence(echod, fd, host, port, "udp_dropped_datagrams_ttl");
	echod_wait_log(echod, "(udp_ttl_guard)");
}
