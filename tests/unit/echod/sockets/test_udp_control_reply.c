/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The control messages of replies, byte for byte, and what a socket is asked to report. */

#include "config.h"

#include "echod/sockets/udp_control.h"

#include <netinet/udp.h>
#include <time.h>

#include "integration/harness.h"
#include "integration/net.h"

/* What was written, one message after the other. */
static struct msghdr written;
static union control control;
static size_t read_up_to;

static void write_answer(const struct udp_notes *notes, const struct udp_answer *answer)
{
	memset(&control, 0x5a, sizeof(control));
	read_up_to = 0;
	udp_control_write(&written, &control, notes, answer);
	ck_assert_ptr_eq(written.msg_control, &control);
}

static void write_reply(const struct udp_notes *notes, bool v4, int hops, unsigned segment)
{
	write_answer(notes, &(struct udp_answer){v4, hops, -1, segment});
}

static void expect_message(int level, int type, const void *data, size_t size)
{
	struct cmsghdr cmsg;

	memcpy(&cmsg, control.bytes + read_up_to, sizeof(cmsg));
	ck_assert_int_eq(cmsg.cmsg_level, level);
	ck_assert_int_eq(cmsg.cmsg_type, type);
	ck_assert_uint_eq(cmsg.cmsg_len, CMSG_LEN(size));
	ck_assert_mem_eq(control.bytes + read_up_to + CMSG_LEN(0), data, size);
	read_up_to += CMSG_SPACE(size);
}

static void expect_no_more(void)
{
	ck_assert_uint_eq(written.msg_controllen, read_up_to);
}

static struct udp_notes notes_to(const char *destination, unsigned interface)
{
	struct udp_notes notes = {.interface = interface};

	ck_assert_int_eq(inet_pton(AF_INET6, destination, &notes.destination), 1);
	notes.to_group = IN6_IS_ADDR_MULTICAST(&notes.destination);
	notes.answer_from = notes.to_group ? in6addr_any : notes.destination;
	return notes;
}

TEST(an_ipv4_reply_leaves_from_where_it_was_asked)
{
	struct udp_notes notes = notes_to("::ffff:192.0.2.1", 3);
	/* No interface: the route of the answer need not be that of the question. */
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = inet_addr("192.0.2.1")};

	write_reply(&notes, true, 63, 1472);
	expect_message(SOL_IP, IP_PKTINFO, &info, sizeof(info));
	expect_message(SOL_IP, IP_TTL, &(int){63}, sizeof(int));
	expect_message(SOL_UDP, UDP_SEGMENT, &(uint16_t){1472}, sizeof(uint16_t));
	expect_no_more();
}

TEST(an_ipv6_reply_leaves_from_where_it_was_asked)
{
	struct udp_notes notes = notes_to("2001:db8::7", 3);
	struct in6_pktinfo info = {.ipi6_addr = notes.destination};

	write_reply(&notes, false, 1, 65535);
	expect_message(SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	expect_message(SOL_IPV6, IPV6_HOPLIMIT, &(int){1}, sizeof(int));
	expect_message(SOL_UDP, UDP_SEGMENT, &(uint16_t){65535}, sizeof(uint16_t));
	expect_no_more();
}

static const char *const destinations[] = {"fe80::1", "ff02::1"};

TEST_EACH(link_local_and_groups_keep_their_interface, ARRAY_SIZE(destinations))
{
	struct udp_notes notes = notes_to(destinations[_i], 3);
	struct in6_pktinfo info = {.ipi6_addr = notes.answer_from, .ipi6_ifindex = 3};

	write_reply(&notes, false, 0, 0);
	expect_message(SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	expect_no_more();
}

TEST(what_is_left_to_the_kernel_is_not_written)
{
	struct udp_notes notes = notes_to("::ffff:192.0.2.1", 3);
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = inet_addr("192.0.2.1")};

	write_reply(&notes, true, 0, 0);
	expect_message(SOL_IP, IP_PKTINFO, &info, sizeof(info));
	expect_no_more();
	write_reply(&notes, true, 0, 9);
	expect_message(SOL_IP, IP_PKTINFO, &info, sizeof(info));
	expect_message(SOL_UDP, UDP_SEGMENT, &(uint16_t){9}, sizeof(uint16_t));
	expect_no_more();
	write_reply(&notes, true, 64, 0);
	expect_message(SOL_IP, IP_PKTINFO, &info, sizeof(info));
	expect_message(SOL_IP, IP_TTL, &(int){64}, sizeof(int));
	expect_no_more();
}

/* Before the segment, which make_plain() of sending.c takes off the end. */
TEST(a_traffic_class_is_written_in_the_form_of_its_family)
{
	struct udp_notes notes4 = notes_to("::ffff:192.0.2.1", 0);
	struct udp_notes notes6 = notes_to("2001:db8::7", 0);
	struct in_pktinfo info4 = {.ipi_spec_dst.s_addr = inet_addr("192.0.2.1")};
	struct in6_pktinfo info6 = {.ipi6_addr = notes6.destination};

	write_answer(&notes4, &(struct udp_answer){.v4 = true, .tos = 0xb8, .segment = 9});
	expect_message(SOL_IP, IP_PKTINFO, &info4, sizeof(info4));
	expect_message(SOL_IP, IP_TOS, &(uint8_t){0xb8}, sizeof(uint8_t));
	expect_message(SOL_UDP, UDP_SEGMENT, &(uint16_t){9}, sizeof(uint16_t));
	expect_no_more();
	write_answer(&notes6, &(struct udp_answer){.hops = 9, .tos = 0});
	expect_message(SOL_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
	expect_message(SOL_IPV6, IPV6_HOPLIMIT, &(int){9}, sizeof(int));
	expect_message(SOL_IPV6, IPV6_TCLASS, &(int){0}, sizeof(int));
	expect_no_more();
}

static int enabled_socket(int family, int only_v6)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	if (family == AF_INET6)
		ck_assert_int_eq(setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &only_v6, sizeof(only_v6)),
				 0);
	ck_assert_int_eq(udp_control_enable(fd, family), 0);
	return fd;
}

static void expect_v4_options(int fd, int expected)
{
	ck_assert_int_eq(option_of(fd, SOL_IP, IP_PKTINFO), expected);
	ck_assert_int_eq(option_of(fd, SOL_IP, IP_RECVTTL), expected);
	ck_assert_int_eq(option_of(fd, SOL_IP, IP_MTU_DISCOVER) == IP_PMTUDISC_OMIT, expected);
}

TEST(each_family_asks_for_what_it_needs)
{
	int ipv4 = enabled_socket(AF_INET, 0);
	int ipv6, both;

	expect_v4_options(ipv4, 1);
	close(ipv4);
	need_ipv6();
	ipv6 = enabled_socket(AF_INET6, 1);
	both = enabled_socket(AF_INET6, 0);
	expect_v4_options(ipv6, 0);
	expect_v4_options(both, 1);
	ck_assert_int_eq(option_of(ipv6, SOL_IPV6, IPV6_RECVPKTINFO), 1);
	ck_assert_int_eq(option_of(both, SOL_IPV6, IPV6_RECVPKTINFO), 1);
	ck_assert_int_eq(option_of(ipv6, SOL_IPV6, IPV6_RECVHOPLIMIT), 1);
	ck_assert_int_eq(option_of(both, SOL_IPV6, IPV6_RECVHOPLIMIT), 1);
	/* Routers do not fragment IPv6: large replies need what was learned of the path. */
	ck_assert_int_eq(option_of(ipv6, SOL_IPV6, IPV6_MTU_DISCOVER), IPV6_PMTUDISC_WANT);
}

static void expect_needs(int fd, bool v4, bool v6, unsigned needs)
{
	int tos = (needs & NEEDS_TOS) != 0;

	ck_assert_int_eq(udp_control_set(fd, needs), 0);
	ck_assert_int_eq(option_of(fd, SOL_IP, IP_RECVTOS), v4 ? tos : 0);
	if (v6)
		ck_assert_int_eq(option_of(fd, SOL_IPV6, IPV6_RECVTCLASS), tos);
	ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_TIMESTAMPNS),
			 (needs & NEEDS_RECEIVE_TIME) != 0);
	ck_assert_int_eq(option_of(fd, SOL_UDP, UDP_GRO), (needs & NEEDS_TRAINS) != 0);
}

/* As settings change, again and again on a socket that stays. */
TEST(what_a_mode_needs_comes_and_goes)
{
	static const unsigned needs[] = {NEEDS_TRAINS, NEEDS_TOS, NEEDS_RECEIVE_TIME | NEEDS_TOS,
					 NEEDS_TRAINS | NEEDS_TOS, 0};
	int ipv4 = enabled_socket(AF_INET, 0), ipv6, both;

	need_ipv6();
	ipv6 = enabled_socket(AF_INET6, 1);
	both = enabled_socket(AF_INET6, 0);
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		expect_needs(ipv4, true, false, needs[i]);
		expect_needs(ipv6, false, true, needs[i]);
		expect_needs(both, true, true, needs[i]);
	}
	close(ipv4);
	close(ipv6);
	close(both);
}

TEST(a_socket_of_another_kind_is_refused)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(udp_control_enable(fd, AF_INET), -1);
	ck_assert_int_eq(udp_control_enable(fd, AF_INET6), -1);
}

#define TOS 0xb9 /* EF and ECT(1) */

/* Sends to FD at HOST, and parses what the kernel reports of it. */
static struct udp_notes told_by_kernel(int fd, const char *host, int hops)
{
	struct address own = {.length = sizeof(own.un)}, to;
	int client = datagram_socket(host);
	union control room;
	char byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {.msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &room,
				 .msg_controllen = sizeof(room)};
	struct udp_notes notes;

	ck_assert_int_eq(getsockname(fd, &own.sa, &own.length), 0);
	to = at(host, address_port(&own));
	set_hops(client, hops);
	set_tos(client, TOS);
	send_datagram(client, &to, "x", 1);
	WAIT_UNTIL(recvmsg(fd, &message, MSG_DONTWAIT) == 1);
	ck_assert_int_eq(message.msg_flags & MSG_CTRUNC, 0);
	udp_control_read(&message, &notes);
	close(client);
	return notes;
}

static void expect_told(int family, int only_v6, const char *host, const char *canonical)
{
	struct address any = at(family == AF_INET ? "0.0.0.0" : "::", 0);
	int fd = enabled_socket(family, only_v6);
	struct udp_notes notes;
	time_t now = time(NULL);

	ck_assert_int_eq(bind(fd, &any.sa, any.length), 0);
	ck_assert_int_eq(udp_control_set(fd, NEEDS_TOS | NEEDS_RECEIVE_TIME), 0);
	notes = told_by_kernel(fd, host, 17);
	ck_assert_int_eq(notes.tos, TOS);
	ck_assert_int_ge(notes.received.tv_sec, now);
	ck_assert_int_le(notes.received.tv_sec, time(NULL) + 1);
	expect_ip(&notes.destination, canonical);
	expect_ip(&notes.answer_from, canonical);
	ck_assert_uint_eq(notes.interface, 1);
	ck_assert_int_eq(notes.hops, 17);
	ck_assert(!notes.to_group);
	close(fd);
}

TEST(the_kernel_reports_all_of_it)
{
	expect_told(AF_INET, 0, "127.0.0.1", "::ffff:127.0.0.1");
	expect_told(AF_INET, 0, "127.1.2.3", "::ffff:127.1.2.3");
	need_ipv6();
	expect_told(AF_INET6, 1, "::1", "::1");
	expect_told(AF_INET6, 0, "::1", "::1");
	expect_told(AF_INET6, 0, "127.1.2.3", "::ffff:127.1.2.3");
}
