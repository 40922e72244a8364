/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The echo of UDP: whole, in order, from the address that was asked, trains included. */

#include "config.h"

#include <net/if.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"

#define IPV4_MOST 65507
#define IPV6_MOST 65527

static const char everywhere[] = "[listener udp]\naddress = *:0\nprotocol = udp\n";

/* From an address of its own, lest the kernel alone chooses the right one for the answer. */
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
	if (has_ipv6())
		ask(echod, "::1", "::1", "udp [::]");
}

TEST(each_of_several_addresses_answers_for_itself)
{
	static const char *const hosts[] = {"192.0.2.7", "198.51.100.7", "2001:db8::7",
					    "2001:db8::8", "2001:db8::9"};
	struct echod *echod;

	need_own_network();
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		if (strchr(hosts[i], ':') == NULL || has_ipv6())
			add_address(hosts[i]);
	}
	if (has_ipv6())
		add_address("2001:db8::a");
	echod = echod_start(everywhere);
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		if (strchr(hosts[i], ':') == NULL)
			ask(echod, "127.0.0.1", hosts[i], "udp 0.0.0.0");
		else if (has_ipv6())
			ask(echod, "2001:db8::a", hosts[i], "udp [::]");
	}
}

TEST(a_link_local_address_answers_over_its_interface)
{
	struct echod *echod;

	need_own_network();
	need_ipv6();
	add_address("fe80::7%lo");
	add_address("fe80::9%lo");
	echod = echod_start("[listener link]\naddress = [fe80::7%lo]:0\nprotocol = udp\n");
	ask(echod, "fe80::9%lo", "fe80::7%lo", "udp [fe80::7%lo]");
	echod_stop(echod);
	echod = echod_start(everywhere);
	ask(echod, "fe80::9%lo", "fe80::7%lo", "udp [::]");
}

static void try_sizes(struct echod *echod, const char *host, const char *where, size_t most)
{
	size_t sizes[] = {0, 1, 1472, 1473, 9000, 65507, most};
	uint16_t port = echod_port(echod, where);
	int fd = datagram_socket(host);
	static char data[DATAGRAM_ROOM];

	fill(data, sizeof(data), 1);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		expect_datagram_echo(fd, host, port, data + i, sizes[i]);
	close(fd);
}

static void expect_all_echoed(struct echod *echod)
{
	WAIT_UNTIL(echod_counter(echod, "udp_echoed_datagrams") ==
		   echod_counter(echod, "udp_received_datagrams"));
}

TEST(every_size_comes_back_whole)
{
	struct echod *echod = echod_start(everywhere);

	try_sizes(echod, "127.0.0.1", "udp 0.0.0.0", IPV4_MOST);
	if (has_ipv6())
		try_sizes(echod, "::1", "udp [::]", IPV6_MOST);
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
	close(fd);
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

static void try_trains(struct echod *echod, const char *host, const char *where)
{
	static const struct {
		size_t size;
		int segment;
	} trains[] = {{20000, 1000}, {19301, 1000}, {64, 1},	   {63, 2},
		      {1472, 1472},  {2000, 1472},  {64768, 1472}, {65000, 9000}};
	struct address to = at(host, echod_port(echod, where));
	int fd = datagram_socket(host);
	static char data[65000];

	for (size_t i = 0; i < ARRAY_SIZE(trains); i++) {
		fill(data, sizeof(data), (uint32_t)i);
		if (!send_train(fd, &to, data, trains[i].size, trains[i].segment))
			skip("this kernel sends no trains of datagrams");
		expect_train(fd, data, trains[i].size, (size_t)trains[i].segment);
	}
	ck_assert(nothing_to_read(fd));
	close(fd);
}

TEST(trains_keep_boundaries_and_order)
{
	struct echod *echod = echod_start(everywhere);

	try_trains(echod, "127.0.0.1", "udp 0.0.0.0");
	if (has_ipv6())
		try_trains(echod, "::1", "udp [::]");
	expect_all_echoed(echod);
}

/* Who takes trains sees that they came as one. */
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
	close(fd);
}

/* Kernels that send trains of more than 64 datagrams hand them to us as they are. */
TEST(a_train_longer_than_64_comes_back_whole)
{
	struct echod *echod = echod_start(everywhere);
	struct address to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	int fd = datagram_socket("127.0.0.1");
	char data[1000];

	fill(data, sizeof(data), 1);
	if (!send_train(fd, &to, data, sizeof(data), 10))
		skip("this kernel sends no trains of 100 datagrams");
	expect_train(fd, data, sizeof(data), 10);
	close(fd);
}

static void set_loopback_mtu(int mtu)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = mtu};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(ioctl(fd, SIOCSIFMTU, &request), 0);
	close(fd);
}

/* What came as a train cannot go back as one when the way back takes less at a time. */
TEST(a_train_too_wide_for_the_way_back_returns_as_single_datagrams)
{
	struct echod *echod;
	struct address to;
	static char data[63000];
	int fd;

	need_own_network();
	echod = echod_start(everywhere);
	to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	fd = datagram_socket("127.0.0.1");
	fill(data, sizeof(data), 1);
	echod_pause(echod);
	if (!send_train(fd, &to, data, sizeof(data), 9000))
		skip("this kernel sends no trains of datagrams");
	set_loopback_mtu(1500);
	echod_signal(echod, SIGCONT);
	expect_train(fd, data, sizeof(data), 9000);
	echod_wait_counter(echod, "udp_echoed_datagrams", sizeof(data) / 9000);
	echod_wait_counter(echod, "sent_bytes_udp", sizeof(data));
	close(fd);
}

#define FLOOD 30000

TEST(datagrams_that_the_kernel_dropped_are_counted)
{
	struct echod *echod = echod_start(everywhere);
	struct address to = at("127.0.0.1", echod_port(echod, "udp 0.0.0.0"));
	int fd = datagram_socket("127.0.0.1");

	echod_pause(echod);
	for (int i = 0; i < FLOOD; i++)
		send_datagram(fd, &to, &i, sizeof(i));
	echod_signal(echod, SIGCONT);
	WAIT_UNTIL(echod_counter(echod, "udp_received_datagrams") +
			   echod_counter(echod, "udp_kernel_drops") ==
		   FLOOD);
	ck_assert_uint_gt(echod_counter(echod, "udp_kernel_drops"), 0);
	close(fd);
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
