/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Control messages as they arrive, made by hand byte for byte. */

#include "config.h"

#include "echod/sockets/udp_control.h"

#include <netinet/udp.h>

#include "integration/net.h"
#include "support/libc.h"
#include "support/test.h"

#define LENGTH_MAX ((libc_control_length)-1)

static union {
	char bytes[1024];
	struct cmsghdr align;
} buffer;
static size_t used;

static void set_up(void)
{
	used = 0;
	memset(&buffer, 0xa5, sizeof(buffer));
}

static struct cmsghdr *add(int level, int type, const void *data, size_t size)
{
	struct cmsghdr *cmsg = (struct cmsghdr *)(void *)(buffer.bytes + used);

	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = (socklen_t)CMSG_LEN(size);
	memcpy(CMSG_DATA(cmsg), data, size);
	used += CMSG_SPACE(size);
	ck_assert_uint_le(used, sizeof(buffer));
	return cmsg;
}

static void add_int(int level, int type, int value)
{
	add(level, type, &value, sizeof(value));
}

static void add_info4(const char *destination, const char *local, int interface)
{
	struct in_pktinfo info = {.ipi_ifindex = interface};

	ck_assert_int_eq(inet_pton(AF_INET, destination, &info.ipi_addr), 1);
	ck_assert_int_eq(inet_pton(AF_INET, local, &info.ipi_spec_dst), 1);
	add(SOL_IP, IP_PKTINFO, &info, sizeof(info));
}

static void add_info6(const char *destination, unsigned interface)
{
	struct in6_pktinfo info = {.ipi6_ifindex = interface};

	ck_assert_int_eq(inet_pton(AF_INET6, destination, &info.ipi6_addr), 1);
	add(SOL_IPV6, IPV6_PKTINFO, &info, sizeof(info));
}

/* Read from memory of just this size, so that the sanitizer sees a step beyond it. */
static struct udp_notes read_bytes(const void *bytes, size_t size)
{
	struct msghdr message = {.msg_controllen = (socklen_t)size,
				 .msg_control = malloc(size > 0 ? size : 1)};
	struct udp_notes notes;

	ck_assert_ptr_nonnull(message.msg_control);
	memcpy(message.msg_control, bytes, size);
	memset(&notes, 0x5a, sizeof(notes));
	udp_control_read(&message, &notes);
	free(message.msg_control);
	return notes;
}

static struct udp_notes read_added(void)
{
	return read_bytes(buffer.bytes, used);
}

static void expect_nothing(const struct udp_notes *notes)
{
	expect_ip(&notes->destination, "::");
	expect_ip(&notes->answer_from, "::");
	ck_assert_uint_eq(notes->interface, 0);
	ck_assert_int_eq(notes->hops, -1);
	ck_assert_int_eq(notes->tos, -1);
	ck_assert_uint_eq(notes->segment, 0);
	ck_assert_int_eq(notes->received.tv_sec, 0);
	ck_assert(!notes->to_group);
}

TEST_CASE("reading", set_up);

TEST(without_messages_nothing_is_known)
{
	struct udp_notes notes = read_added();

	expect_nothing(&notes);
}

/* IPv4 has one byte, IPv6 an int. */
TEST(the_traffic_class_is_read_in_the_form_of_its_family)
{
	for (int tos = 0; tos < 256; tos++) {
		uint8_t byte = (uint8_t)tos;

		set_up();
		add(SOL_IP, IP_TOS, &byte, sizeof(byte));
		ck_assert_int_eq(read_added().tos, tos);
		set_up();
		add_int(SOL_IPV6, IPV6_TCLASS, tos);
		ck_assert_int_eq(read_added().tos, tos);
	}
}

TEST(the_time_of_arrival_is_read)
{
	struct timespec time = {.tv_sec = 1700000000, .tv_nsec = 999999999};
	struct udp_notes notes;

	add(SOL_SOCKET, SCM_TIMESTAMPNS, &time, sizeof(time));
	notes = read_added();
	ck_assert_mem_eq(&notes.received, &time, sizeof(time));
}

TEST(ipv4_messages_are_read_in_any_order)
{
	for (int first = 0; first < 3; first++) {
		struct udp_notes notes;

		set_up();
		for (int i = first; i < first + 3; i++) {
			if (i % 3 == 0)
				add_info4("192.0.2.1", "192.0.2.1", 3);
			else if (i % 3 == 1)
				add_int(SOL_IP, IP_TTL, 57);
			else
				add_int(SOL_UDP, UDP_GRO, 1472);
		}
		notes = read_added();
		expect_ip(&notes.destination, "::ffff:192.0.2.1");
		expect_ip(&notes.answer_from, "::ffff:192.0.2.1");
		ck_assert_uint_eq(notes.interface, 3);
		ck_assert_int_eq(notes.hops, 57);
		ck_assert_uint_eq(notes.segment, 1472);
		ck_assert(!notes.to_group);
	}
}

TEST(ipv6_messages_are_read)
{
	struct udp_notes notes;

	add_int(SOL_IPV6, IPV6_HOPLIMIT, 255);
	add_info6("fe80::1", 4);
	notes = read_added();
	expect_ip(&notes.destination, "fe80::1");
	expect_ip(&notes.answer_from, "fe80::1");
	ck_assert_uint_eq(notes.interface, 4);
	ck_assert_int_eq(notes.hops, 255);
	ck_assert(!notes.to_group);
}

TEST(ipv4_on_a_dual_stack_socket_is_read_as_ipv4)
{
	for (int v6_first = 0; v6_first < 2; v6_first++) {
		struct udp_notes notes;

		set_up();
		if (v6_first)
			add_info6("::ffff:192.0.2.255", 7);
		add_info4("192.0.2.255", "192.0.2.1", 3);
		if (!v6_first)
			add_info6("::ffff:192.0.2.255", 7);
		add_int(SOL_IP, IP_TTL, 3);
		notes = read_added();
		expect_ip(&notes.destination, "::ffff:192.0.2.255");
		expect_ip(&notes.answer_from, "::ffff:192.0.2.1");
		ck_assert_uint_eq(notes.interface, 3);
		ck_assert_int_eq(notes.hops, 3);
		ck_assert(notes.to_group);
	}
}

TEST(group_destinations_are_seen)
{
	static const struct {
		const char *destination, *local, *answer_from;
	} cases[] = {
		{"192.0.2.255", "192.0.2.1", "::ffff:192.0.2.1"},
		{"255.255.255.255", "192.0.2.1", "::ffff:192.0.2.1"},
		{"224.0.0.251", "192.0.2.1", "::ffff:192.0.2.1"},
		{"ff02::1", NULL, "::"},
		{"ff0e::7", NULL, "::"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct udp_notes notes;

		set_up();
		if (cases[i].local != NULL)
			add_info4(cases[i].destination, cases[i].local, 2);
		else
			add_info6(cases[i].destination, 2);
		notes = read_added();
		ck_assert_msg(notes.to_group, "%s", cases[i].destination);
		expect_ip(&notes.answer_from, cases[i].answer_from);
	}
}

TEST(what_arrived_before_we_asked_has_only_its_destination)
{
	struct udp_notes notes;

	add_info4("192.0.2.1", "0.0.0.0", 0);
	notes = read_added();
	expect_ip(&notes.destination, "::ffff:192.0.2.1");
	expect_ip(&notes.answer_from, "::ffff:192.0.2.1");
	ck_assert(!notes.to_group);
	set_up();
	add_info4("224.0.0.251", "0.0.0.0", 0);
	notes = read_added();
	ck_assert(notes.to_group);
}

TEST(a_message_too_short_for_its_kind_is_passed_over)
{
	static const char zeros[sizeof(struct in6_pktinfo)];
	static const struct {
		int level, type;
		size_t size;
	} kinds[] = {
		{SOL_IP, IP_PKTINFO, sizeof(struct in_pktinfo)},
		{SOL_IP, IP_TTL, sizeof(int)},
		{SOL_IPV6, IPV6_PKTINFO, sizeof(struct in6_pktinfo)},
		{SOL_IPV6, IPV6_HOPLIMIT, sizeof(int)},
		{SOL_UDP, UDP_GRO, sizeof(int)},
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		for (size_t size = 0; size < kinds[i].size; size++) {
			struct udp_notes notes;

			set_up();
			add_int(SOL_IP, IP_TTL, 9);
			add(kinds[i].level, kinds[i].type, zeros, size);
			add_int(SOL_UDP, UDP_GRO, 8);
			notes = read_added();
			ck_assert_int_eq(notes.hops, 9);
			ck_assert_uint_eq(notes.segment, 8);
			notes.hops = -1;
			notes.segment = 0;
			expect_nothing(&notes);
		}
	}
}

TEST(a_message_that_goes_beyond_the_end_ends_the_reading)
{
	struct cmsghdr *last;
	struct udp_notes notes;
	static const size_t beyond[] = {1, 8, 1 << 20, LENGTH_MAX / 2, LENGTH_MAX};

	add_int(SOL_IP, IP_TTL, 9);
	last = add(SOL_UDP, UDP_GRO, &(int){100}, sizeof(int));
	for (size_t i = 0; i < ARRAY_SIZE(beyond); i++) {
		last->cmsg_len =
			(libc_control_length)(beyond[i] == LENGTH_MAX ? LENGTH_MAX
								      : CMSG_SPACE(4) + beyond[i]);
		notes = read_added();
		ck_assert_int_eq(notes.hops, 9);
		ck_assert_uint_eq(notes.segment, 0);
	}
	for (size_t cut = 1; cut <= CMSG_SPACE(sizeof(int)); cut++) {
		last->cmsg_len = CMSG_LEN(sizeof(int));
		notes = read_bytes(buffer.bytes, used - cut);
		ck_assert_int_eq(notes.hops, 9);
		/* What is cut off may be padding alone. */
		ck_assert_uint_eq(notes.segment,
				  cut <= CMSG_SPACE(sizeof(int)) - CMSG_LEN(sizeof(int)) ? 100 : 0);
	}
}

TEST(a_message_shorter_than_its_header_ends_the_reading)
{
	for (size_t length = 0; length < sizeof(struct cmsghdr); length++) {
		struct udp_notes notes;

		set_up();
		add_int(SOL_UDP, UDP_GRO, 5);
		add(SOL_IP, IP_TTL, &(int){9}, sizeof(int))->cmsg_len = (socklen_t)length;
		add_int(SOL_UDP, UDP_GRO, 6);
		notes = read_added();
		ck_assert_int_eq(notes.hops, -1);
		ck_assert_uint_eq(notes.segment, 5);
	}
}

TEST(unknown_messages_are_passed_over)
{
	struct udp_notes notes;

	add_int(SOL_SOCKET, IP_PKTINFO, -1);
	add_int(SOL_IP, 4711, -1);
	add_int(SOL_IPV6, 4711, -1);
	add_int(SOL_UDP, UDP_SEGMENT, 77);
	add_int(-1, -1, -1);
	add(SOL_SOCKET, SO_TIMESTAMP, "0123456789abcdef", 16);
	notes = read_added();
	expect_nothing(&notes);
	add_int(SOL_IP, IP_TTL, 64);
	notes = read_added();
	ck_assert_int_eq(notes.hops, 64);
}

static const int sizes[] = {0, -1, INT32_MIN};

TEST_EACH(a_segment_that_cannot_be_is_none, ARRAY_SIZE(sizes))
{
	struct udp_notes notes;

	set_up();
	add_int(SOL_UDP, UDP_GRO, sizes[_i]);
	notes = read_added();
	ck_assert_uint_eq(notes.segment, 0);
}

TEST(any_bytes_at_all_are_survived)
{
	static const int levels[] = {SOL_IP, SOL_IPV6, SOL_UDP, SOL_SOCKET};
	static const int types[] = {IP_PKTINFO, IP_TTL, IPV6_PKTINFO, IPV6_HOPLIMIT, UDP_GRO};
	uint32_t state = 7;

	for (int round = 0; round < 20000; round++) {
		struct cmsghdr header;

		fill(buffer.bytes, 128, state = state * 1103515245 + 12345);
		header.cmsg_len = buffer.bytes[0] & 63;
		header.cmsg_level = levels[(state >> 16) % ARRAY_SIZE(levels)];
		header.cmsg_type = types[(state >> 20) % ARRAY_SIZE(types)];
		memcpy(buffer.bytes, &header, sizeof(header));
		memcpy(buffer.bytes + CMSG_ALIGN(header.cmsg_len), &header, sizeof(header));
		read_bytes(buffer.bytes, state >> 25);
	}
}
