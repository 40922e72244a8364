/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Modes of a listener and reflect_dscp: at start, on a reload, and on sockets handed over. */

#include "config.h"

#include "integration/handover.h"
#include "integration/harness.h"
#include "integration/net.h"
#include "integration/process.h"
#include "integration/scenes.h"

#define ECHO "[listener a]\naddress = 127.0.0.1:0\nprotocol = udp\n"
#define PLUS "[listener a]\naddress = 127.0.0.1:0\nmode = echoplus\n"

static struct datagram came;

static uint16_t udp_port(struct echod *echod)
{
	return echod_port(echod, "udp 127.0.0.1");
}

/* Sends 24 bytes of FILL, and gets its reply. */
static void ask(int fd, uint16_t port, uint8_t fill)
{
	struct address to = at("127.0.0.1", port);
	uint8_t request[24];

	memset(request, fill, sizeof(request));
	send_datagram(fd, &to, request, sizeof(request));
	receive_datagram(fd, &came);
	ck_assert_uint_eq(came.size, sizeof(request));
	ck_assert_mem_eq(came.data, request, 4);
	ck_assert_mem_eq(came.data + 20, request + 20, 4);
}

static void expect_echoed(int fd, uint16_t port)
{
	ask(fd, port, 0x5a);
	ck_assert_mem_eq(came.data, came.data + 4, 20);
}

static void expect_answered_as(int fd, uint16_t port, uint32_t number)
{
	uint32_t expected = htonl(number);

	ask(fd, port, 0x5a);
	ck_assert_mem_eq(came.data + 4, &expected, sizeof(expected));
}

TEST(a_mode_opens_udp_alone)
{
	struct echod *echod = echod_start(PLUS);

	ck_assert_uint_eq(echod_log_count(echod, "listening on udp"), 1);
	ck_assert_uint_eq(echod_log_count(echod, "listening on tcp"), 0);
	echod_stop(echod);
}

TEST(a_reload_changes_the_mode_of_a_socket_that_stays)
{
	struct echod *echod = echod_start(ECHO);
	uint16_t port = udp_port(echod);
	int fd = datagram_socket("127.0.0.1");

	expect_echoed(fd, port);
	echod_reload(echod, PLUS);
	expect_answered_as(fd, port, 1);
	expect_answered_as(fd, port, 2);
	echod_reload(echod, ECHO);
	expect_echoed(fd, port);
	ck_assert_uint_eq(echod_log_count(echod, "listening on udp"), 1);
	close(fd);
	echod_stop(echod);
}

TEST(a_reload_keeps_sessions_unless_their_number_changes)
{
	struct echod *echod = echod_start(PLUS "stamp_sessions = 20\n");
	uint16_t port = udp_port(echod);
	int fd = datagram_socket("127.0.0.1");

	expect_answered_as(fd, port, 1);
	echod_reload(echod, PLUS "stamp_sessions = 20\nudp_rate = 500\n");
	expect_answered_as(fd, port, 2);
	ck_assert_uint_eq(echod_counter(echod, "stamp_sessions"), 1);
	echod_reload(echod, PLUS "stamp_sessions = 21\n");
	ck_assert_uint_eq(echod_counter(echod, "stamp_sessions"), 0);
	expect_answered_as(fd, port, 1);
	close(fd);
}

TEST(sources_without_a_session_are_counted)
{
	struct echod *echod =
		echod_start("[server]\nlog_level = info\n" PLUS "stamp_sessions = 1\n");
	struct address to = at("127.0.0.1", udp_port(echod));
	int first = datagram_socket("127.0.0.1"), second = datagram_socket("127.0.0.1");
	char request[24] = "";

	expect_answered_as(first, address_port(&to), 1);
	send_datagram(second, &to, request, sizeof(request));
	echod_wait_counter(echod, "udp_dropped_datagrams_sessions", 1);
	echod_wait_log(echod, "not answered: too many sessions");
	expect_answered_as(first, address_port(&to), 2);
	close(first);
	close(second);
}

TEST(a_reload_turns_the_reflection_of_dscp_on_and_off)
{
	struct echod *echod = echod_start(ECHO);
	struct address to = at("127.0.0.1", udp_port(echod));
	int fd = datagram_socket("127.0.0.1");

	set_tos(fd, 0xb9);
	for (int i = 0; i < 2; i++) {
		send_datagram(fd, &to, "x", 1);
		receive_datagram(fd, &came);
		ck_assert_int_eq(came.tos, 0);
		echod_reload(echod, ECHO "reflect_dscp = yes\n");
		send_datagram(fd, &to, "x", 1);
		receive_datagram(fd, &came);
		ck_assert_int_eq(came.tos, 0xb8);
		echod_reload(echod, ECHO);
	}
	close(fd);
}

TEST(handed_sockets_have_the_mode_of_their_name)
{
	struct handover handover = {
		.fds = {bound_socket("127.0.0.1", SOCK_DGRAM)}, .count = 1, .names = "a"};
	int fd = datagram_socket("127.0.0.1");

	start_with(&handover, PLUS "reflect_dscp = yes\n");
	set_tos(fd, 0x28);
	expect_answered_as(fd, port_bound_to(handover.fds[0]), 1);
	ck_assert_int_eq(came.tos, 0x28);
	close(fd);
}

TEST(a_handed_socket_of_another_kind_is_refused)
{
	struct handover handover = {
		.fds = {listening_socket("127.0.0.1")}, .count = 1, .names = "a"};
	struct echod_setup setup = {.config = PLUS, .prepare = hand_over, .arg = &handover};
	struct echod *echod = finished(&setup, FAILURE);

	expect_one_line(echod, "mode = echoplus is UDP only", "FileDescriptorName=");
	echod_free(echod);
	echod = start_with(&handover, ECHO);
	echod_write_config(echod, PLUS);
	echod_signal(echod, SIGHUP);
	echod_wait_log(echod, "reload failed");
	ck_assert_uint_eq(echod_log_count(echod, "mode = echoplus is UDP only"), 1);
}
