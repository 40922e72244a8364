/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Who gets no answer over UDP: seen by the counters, the log, and by what did not come. */

#include "config.h"

#include <net/if.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/program.h"

static const char everywhere[] = "[server]\n"
				 "workers = 1\n"
				 "log_level = info\n"
				 "[listener udp]\n"
				 "address = *:0\n"
				 "protocol = udp\n";

static const char unguarded[] = "[server]\n"
				"workers = 1\n"
				"[listener udp]\n"
				"address = 127.0.0.1:0\n"
				"protocol = udp\n"
				"udp_guard = no\n"
				"udp_ttl_guard = no\n";

static uint16_t udp_port_of(struct echod *echod)
{
	return echod_port(echod, "udp 0.0.0.0");
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

static int bound_datagram_socket(const char *host, uint16_t port)
{
	struct address own = at(host, port);
	int fd = new_socket(&own, SOCK_DGRAM);

	ck_assert_msg(bind(fd, &own.sa, own.length) == 0, "bind to %s port %d: %s", host, port,
		      strerror(errno));
	return fd;
}

TEST_CASE("ends");

TEST(reserved_source_ports_get_no_answer)
{
	static const uint16_t ports[] = {1, 7, 1023, 2049};
	struct echod *echod;
	char line[256];
	int fd;

	need_own_network();
	echod = echod_start(everywhere);
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		fd = bound_datagram_socket("127.0.0.1", ports[i]);
		expect_silence(echod, fd, "127.0.0.1", udp_port_of(echod),
			       "udp_dropped_datagrams_guard");
		close(fd);
	}
	snprintf(line, sizeof(line),
		 "udp 127.0.0.1:1 on 127.0.0.1:%d not answered: "
		 "source port below 1024 (udp_guard)\n",
		 udp_port_of(echod));
	echod_wait_log(echod, line);
	/* One line for each reason, however often it applied. */
	ck_assert_uint_eq(echod_log_count(echod, "below 1024"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "source port 2049 (udp_guard)"), 1);
	fd = bound_datagram_socket("127.0.0.1", 1024);
	expect_datagram_echo(fd, "127.0.0.1", udp_port_of(echod), "answer!", 7);
	close(fd);
}

TEST(a_port_served_here_gets_no_answer)
{
	struct echod *echod = echod_start("[server]\n"
					  "log_level = info\n"
					  "[listener one]\naddress = 127.0.0.1:0\nprotocol = udp\n"
					  "[listener two]\naddress = 127.0.0.2:0\n");
	uint16_t one = echod_port(echod, "udp 127.0.0.1"), two = echod_port(echod, "udp 127.0.0.2");
	/* As another host's echo server would ask: from the same port at another address. */
	int fd = bound_datagram_socket("127.0.0.3", two);

	expect_silence(echod, fd, "127.0.0.1", one, "udp_dropped_datagrams_guard");
	expect_silence(echod, fd, "127.0.0.2", two, "udp_dropped_datagrams_guard");
	echod_wait_log(echod, "not answered: source port served here (udp_guard)");
	close(fd);
}

TEST(without_udp_guard_every_source_port_is_answered)
{
	struct echod *echod;
	uint16_t port;
	int fd;

	need_own_network();
	echod = echod_start(unguarded);
	port = echod_port(echod, "udp 127.0.0.1");
	fd = bound_datagram_socket("127.0.0.1", 1);
	expect_datagram_echo(fd, "127.0.0.1", port, "answer!", 7);
	close(fd);
	fd = bound_datagram_socket("127.0.0.3", port);
	expect_datagram_echo(fd, "127.0.0.1", port, "answer!", 7);
	close(fd);
}

TEST(a_broadcast_gets_no_answer)
{
	struct echod *echod = echod_start(everywhere);
	int fd = datagram_socket("127.0.0.1"), yes = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &yes, sizeof(yes)), 0);
	expect_silence(echod, fd, "127.255.255.255", udp_port_of(echod),
		       "udp_dropped_datagrams_guard");
	echod_wait_log(echod, "not answered: sent to broadcast or multicast (udp_guard)");
	close(fd);
}

/* A group that somebody on this host is in reaches all who listen on its port. */
TEST(a_multicast_gets_no_answer)
{
	struct ip_mreqn group = {.imr_ifindex = 1};
	struct echod *echod;
	int fd;

	need_own_network();
	add_address("192.0.2.7");
	echod = echod_start(everywhere);
	fd = datagram_socket("192.0.2.7");
	group.imr_multiaddr = at("239.1.2.3", 0).in4.sin_addr;
	ck_assert_int_eq(setsockopt(fd, SOL_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_IP, IP_MULTICAST_IF, &group, sizeof(group)), 0);
	expect_silence(echod, fd, "239.1.2.3", udp_port_of(echod), "udp_dropped_datagrams_guard");
	close(fd);
}

static bool ip(const char *const words[])
{
	struct program program;

	program_start(&program, words);
	return program_wait(&program) == 0;
}

/* An interface that carries multicast, as the loopback one does not. */
static bool add_wire(void)
{
	static const char *const add[] = {"ip",	  "link", "add",  "wire", "type",
					  "veth", "peer", "name", "end",  NULL};
	static const char *const name[] = {"ip",   "addr",	     "add",   "dev",
					   "wire", "2001:db8::9/64", "nodad", NULL};
	static const char *const up[] = {"ip", "link", "set", "wire", "up", NULL};
	static const char *const end_up[] = {"ip", "link", "set", "end", "up", NULL};

	return installed("ip") && ip(add) && ip(name) && ip(up) && ip(end_up);
}

TEST(an_ipv6_multicast_gets_no_answer)
{
	struct ipv6_mreq group = {0};
	struct echod *echod;
	int fd;

	if (!own_network() || !has_ipv6() || !add_wire())
		skip("no network of our own with IPv6 and an interface here");
	group.ipv6mr_interface = if_nametoindex("wire");
	echod = echod_start(everywhere);
	fd = datagram_socket("2001:db8::9");
	group.ipv6mr_multiaddr = at("ff05::7", 0).in6.sin6_addr;
	ck_assert_int_eq(setsockopt(fd, SOL_IPV6, IPV6_JOIN_GROUP, &group, sizeof(group)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_IPV6, IPV6_MULTICAST_IF, &group.ipv6mr_interface,
				    sizeof(group.ipv6mr_interface)),
			 0);
	expect_silence(echod, fd, "ff05::7", echod_port(echod, "udp [::]"),
		       "udp_dropped_datagrams_guard");
	close(fd);
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

static void try_hops(struct echod *echod, const char *host, uint16_t port)
{
	int fd = datagram_socket(host);

	ck_assert_int_eq(hops_of_reply(fd, host, port, 64), 63);
	ck_assert_int_eq(hops_of_reply(fd, host, port, 255), 64);
	ck_assert_int_eq(hops_of_reply(fd, host, port, 65), 64);
	ck_assert_int_eq(hops_of_reply(fd, host, port, 2), 1);
	set_hops(fd, 1);
	expect_silence(echod, fd, host, port, "udp_dropped_datagrams_ttl");
	close(fd);
}

TEST_CASE("hops");

TEST(a_reply_has_one_hop_less_to_go)
{
	struct echod *echod = echod_start(everywhere);

	try_hops(echod, "127.0.0.1", udp_port_of(echod));
	if (has_ipv6())
		try_hops(echod, "::1", echod_port(echod, "udp [::]"));
	echod_wait_log(echod, "(udp_ttl_guard)");
}

TEST(without_udp_ttl_guard_a_last_hop_is_answered)
{
	struct echod *echod = echod_start(unguarded);
	uint16_t port = echod_port(echod, "udp 127.0.0.1");
	int fd = datagram_socket("127.0.0.1");

	ck_assert_int_ge(hops_of_reply(fd, "127.0.0.1", port, 1), 1);
	ck_assert_int_ge(hops_of_reply(fd, "127.0.0.1", port, 64), 64);
	close(fd);
}

/* A datagram with the address of one daemon as its source makes the other one answer that. */
static void forge(const struct address *from, const struct address *to)
{
	unsigned char packet[8 + 4] = {0};
	uint16_t size = htons(sizeof(packet));
	struct address own = *from, there = *to;
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_UDP);

	ck_assert_int_ge(fd, 0);
	memcpy(packet, &from->in4.sin_port, 2);
	memcpy(packet + 2, &to->in4.sin_port, 2);
	memcpy(packet + 4, &size, 2);
	memcpy(packet + 8, "loop", 4);
	address_set_port(&own, 0);
	address_set_port(&there, 0);
	ck_assert_int_eq(bind(fd, &own.sa, own.length), 0);
	send_datagram(fd, &there, packet, sizeof(packet));
	close(fd);
}

/* The two do not know one another's ports: only the hops that are used up end it. */
TEST(two_daemons_tricked_into_answering_one_another_stop)
{
	struct echod *first, *second;
	struct address from, to;

	need_own_network();
	first = echod_start("[listener a]\naddress = 127.0.0.1:0\nprotocol = udp\n");
	second = echod_start("[listener b]\naddress = 127.0.0.2:0\nprotocol = udp\n");
	from = at("127.0.0.1", echod_port(first, "udp 127.0.0.1"));
	to = at("127.0.0.2", echod_port(second, "udp 127.0.0.2"));
	forge(&from, &to);
	WAIT_UNTIL(echod_counter(first, "udp_dropped_datagrams_ttl") +
			   echod_counter(second, "udp_dropped_datagrams_ttl") ==
		   1);
	ck_assert_uint_le(echod_counter(first, "udp_echoed_datagrams") +
				  echod_counter(second, "udp_echoed_datagrams"),
			  64);
	echod_stop(first);
	echod_stop(second);
}
