/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The settings of datagrams, and those that concern streams and datagrams alike. */

#include "config.h"

#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/showing.h"

/* Sends to 127.0.0.1; comes back, or is counted as dropped for REASON. */
static void expect_answer(struct echod *echod, int fd, bool answered, const char *reason)
{
	struct address to = at("127.0.0.1", port_of(echod));
	uint64_t dropped = echod_counter(echod, reason);

	if (answered) {
		expect_datagram_echo(fd, "127.0.0.1", port_of(echod), "hello", 5);
		return;
	}
	send_datagram(fd, &to, "hello", 5);
	expect_counted(echod, reason, dropped, 1);
	ck_assert(nothing_to_read(fd));
}

static void check_stream_from(struct echod *echod, const char *from, bool served)
{
	uint64_t denied = echod_counter(echod, "tcp_rejected_denied");
	int fd = connect_from(from, "127.0.0.1", port_of(echod));

	if (served) {
		expect_echo(fd, "hello", 5);
	} else {
		expect_gone(fd);
		expect_counted(echod, "tcp_rejected_denied", denied, 1);
	}
	close(fd);
}

/* At another address the number that is served here may be free, and gets no answer. */
static int socket_from(struct echod *echod, const char *from)
{
	int fd = datagram_socket(from), other;

	if (port_bound_to(fd) != port_of(echod))
		return fd;
	other = socket_from(echod, from);
	close(fd);
	return other;
}

static void check_from(struct echod *echod, const char *from, bool served)
{
	int fd = socket_from(echod, from);

	expect_answer(echod, fd, served, "udp_dropped_datagrams_denied");
	close(fd);
	check_stream_from(echod, from, served);
}

static void check_allow(struct echod *echod, bool set)
{
	check_from(echod, "127.0.0.1", !set);
	check_from(echod, "127.0.0.2", true);
	check_from(echod, "127.1.2.3", true);
	check_from(echod, "127.2.0.1", !set);
}

static void check_deny(struct echod *echod, bool set)
{
	check_from(echod, "127.0.0.1", true);
	check_from(echod, "127.0.0.2", !set);
	check_from(echod, "127.1.0.1", !set);
}

static void check_deny_first(struct echod *echod, bool set)
{
	check_from(echod, "127.0.0.2", !set);
	check_from(echod, "127.0.0.3", true);
}

/* It is not served. TCP ports may not be bindable yet, where old connections linger. */
static bool is_unserved(int type, uint16_t port)
{
	struct address address = at("127.0.0.1", port);
	int fd = new_socket(&address, type);
	bool result;

	if (type == SOCK_STREAM)
		result = connect(fd, &address.sa, address.length) < 0 && errno == ECONNREFUSED;
	else
		result = bind(fd, &address.sa, address.length) == 0;
	close(fd);
	return result;
}

/* Another program may have the number of the other protocol for a moment. */
static void check_protocols(struct echod *echod, bool tcp, bool udp)
{
	if (tcp) {
		check_stream_from(echod, "127.0.0.1", true);
	} else {
		WAIT_UNTIL(is_unserved(SOCK_STREAM, port_of(echod)));
	}
	if (udp) {
		int fd = datagram_socket("127.0.0.1");

		expect_datagram_echo(fd, "127.0.0.1", port_of(echod), "x", 1);
		close(fd);
	} else {
		WAIT_UNTIL(is_unserved(SOCK_DGRAM, port_of(echod)));
	}
}

static void check_protocol_tcp(struct echod *echod, bool set)
{
	check_protocols(echod, true, !set);
}

static void check_protocol_udp(struct echod *echod, bool set)
{
	check_protocols(echod, !set, true);
}

/* The source has a port that this echod serves itself, at another address. */
static void check_guard(struct echod *echod, bool off)
{
	int fd = datagram_socket_at("127.0.0.2", port_of(echod));

	expect_answer(echod, fd, off, "udp_dropped_datagrams_guard");
	close(fd);
}

static void check_hops(struct echod *echod, int sent, int wanted)
{
	static struct datagram came;
	struct address to = at("127.0.0.1", port_of(echod));
	int fd = datagram_socket("127.0.0.1");

	set_hops(fd, sent);
	send_datagram(fd, &to, "hop", 3);
	receive_datagram(fd, &came);
	ck_assert_int_eq(came.hops, wanted);
	close(fd);
}

static void check_ttl_guard(struct echod *echod, bool off)
{
	int fd = datagram_socket("127.0.0.1");
	int plain = (int)system_number("/proc/sys/net/ipv4/ip_default_ttl", 64);

	check_hops(echod, 64, off ? plain : 63);
	check_hops(echod, 255, 64);
	check_hops(echod, 2, off ? plain : 1);
	set_hops(fd, 1);
	expect_answer(echod, fd, off, "udp_dropped_datagrams_ttl");
	close(fd);
}

#define FLOOD 100

/* All at once from HOST; how many come back. */
static uint64_t flood(struct echod *echod, const char *host)
{
	uint64_t received = echod_counter(echod, "udp_received_datagrams");
	uint64_t echoed = echod_counter(echod, "udp_echoed_datagrams");
	uint64_t dropped = echod_counter(echod, "udp_dropped_datagrams_rate");
	struct address to = at("127.0.0.1", port_of(echod));
	int fd = datagram_socket(host);

	for (int i = 0; i < FLOOD; i++)
		send_datagram(fd, &to, "flood", 5);
	close(fd);
	expect_counted(echod, "udp_received_datagrams", received, FLOOD);
	echoed = echod_counter(echod, "udp_echoed_datagrams") - echoed;
	dropped = echod_counter(echod, "udp_dropped_datagrams_rate") - dropped;
	ck_assert_uint_eq(echoed + dropped, FLOOD);
	return echoed;
}

/* Each time from another source, so that none has a past. */
static uint64_t flood_from_new_source(struct echod *echod)
{
	static unsigned source;
	char host[32];

	snprintf(host, sizeof(host), "192.0.2.%u", ++source);
	add_address(host);
	return flood(echod, host);
}

static void check_no_rate(struct echod *echod, bool set UNUSED)
{
	ck_assert_uint_eq(flood_from_new_source(echod), FLOOD);
}

static void check_rate(struct echod *echod, bool set)
{
	uint64_t echoed = flood_from_new_source(echod);

	if (set) {
		ck_assert_uint_ge(echoed, 5);
		ck_assert_uint_le(echoed, FLOOD / 2);
	} else {
		ck_assert_uint_eq(echoed, FLOOD);
	}
	ck_assert_uint_eq(flood(echod, "127.0.0.1"), FLOOD);
}

static const struct shown_setting shown[] = {
	{"allow = 127.0.0.2 2001:db8::/32\nallow = 127.1.0.0/16", .check = check_allow},
	{"deny = 127.0.0.2 127.1.0.0/16", .check = check_deny},
	{"allow = 127.0.0.0/8\ndeny = 127.0.0.2", .check = check_deny_first},
	{"protocol = tcp", .check = check_protocol_tcp},
	{"protocol = udp", .check = check_protocol_udp},
	{"udp_guard = no", .check = check_guard},
	{"udp_ttl_guard = no", .check = check_ttl_guard},
	{"udp_rate = 5", check_rate, .address = "*:0"},
	{"udp_rate = 0", check_no_rate, .address = "*:0"},
};

/* Those for all addresses take sources that are not loopback ones. */
TEST_EACH(each_setting_takes_effect_at_start_and_on_reload, ARRAY_SIZE(shown))
{
	if (shown[_i].address != NULL)
		need_own_network();
	show_setting(&shown[_i]);
}

TEST(what_is_not_answered_is_logged)
{
	struct echod *echod = echod_start("[server]\nlog_level = info\n"
					  "[listener a]\naddress = 127.0.0.1:0\n");
	char line[128];

	check_guard(echod, false);
	check_guard(echod, false);
	snprintf(line, sizeof(line),
		 "udp 127.0.0.2:%d on 127.0.0.1:%d not answered: source port served here "
		 "(udp_guard)",
		 port_of(echod), port_of(echod));
	ck_assert_uint_eq(echod_log_count(echod, line), 1);
}
