/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Modes on the path of datagrams: their replies, books and sessions; and the DSCP of replies. */

#include "config.h"

#include "echod/datagram/echo.h"

#include <netinet/udp.h>

#include "echod/guard/sessions.h"
#include "support/test.h"
#include "unit/log_lines.h"
#include "unit/loop_scene.h"

#define PLUS "[listener x]\naddress = 127.0.0.1:0\nmode = echoplus\n"
#define STAMP "[listener x]\naddress = 127.0.0.1:0\nmode = stamp\n"
#define REFLECTING "[listener x]\naddress = 127.0.0.1:0\nreflect_dscp = yes\n"

static struct datagram came;
static uint8_t data[2000];

static void set_up(void)
{
	scene_open();
	fill(data, sizeof(data), 14);
	log_lines_begin(LEVEL_INFO);
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

static struct address own_of(const struct endpoint *endpoint, const char *host)
{
	return at(host, address_port(&endpoint->socket->address));
}

static void put(int fd, const struct endpoint *endpoint, size_t size)
{
	struct address to = own_of(endpoint, "127.0.0.1");

	send_datagram(fd, &to, data, size);
}

static bool something_came(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) >= 0;
}

static void take(int fd)
{
	TURN_UNTIL(something_came(fd));
	receive_datagram(fd, &came);
}

static uint32_t field(size_t offset)
{
	uint32_t value;

	memcpy(&value, came.data + offset, sizeof(value));
	return ntohl(value);
}

TEST_CASE("modes", set_up, tear_down);

/* In one batch of 64, which is sealed and sent in eights. */
TEST(each_reply_of_a_batch_has_its_own_count)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLUS, "x"), SOCKET_UDP, "127.0.0.1");
	int fd = datagram_socket("127.0.0.1");

	for (int i = 0; i < 64; i++)
		put(fd, endpoint, 24 + (size_t)i);
	for (uint32_t i = 0; i < 64; i++) {
		take(fd);
		ck_assert_uint_eq(came.size, 24 + i);
		ck_assert_mem_eq(came.data, data, 4);
		ck_assert_uint_eq(field(4), i + 1);
		ck_assert_uint_le(field(12) - field(8), 10000000);
		ck_assert_uint_eq(field(16), 0);
		ck_assert_mem_eq(came.data + 20, data + 20, came.size - 20);
	}
	ck_assert_uint_eq(scene_count(UDP_ECHOED_DATAGRAMS), 64);
	close(fd);
}

TEST(times_are_those_of_the_wall_clock)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLUS, "x"), SOCKET_UDP, "127.0.0.1");
	int fd = datagram_socket("127.0.0.1");
	struct timespec before, after;
	uint64_t first;

	clock_gettime(CLOCK_REALTIME, &before);
	put(fd, endpoint, 24);
	take(fd);
	clock_gettime(CLOCK_REALTIME, &after);
	first = (uint64_t)before.tv_sec * 1000000 + (uint64_t)before.tv_nsec / 1000;
	ck_assert_uint_le(field(8) - (uint32_t)first, field(12) - (uint32_t)first);
	ck_assert_uint_le(field(12) - (uint32_t)first, (uint64_t)after.tv_sec * 1000000 +
							       (uint64_t)after.tv_nsec / 1000 -
							       first);
	close(fd);
}

/* GRO would deliver a train as one datagram with one time of arrival. */
TEST(a_mode_gets_its_datagrams_one_by_one)
{
	struct endpoint *endpoint = scene_serve(scene_service(PLUS, "x"), SOCKET_UDP, "127.0.0.1");
	int fd = datagram_socket("127.0.0.1"), cut = 100;

	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &cut, sizeof(cut)) < 0)
		skip("this kernel sends no trains");
	put(fd, endpoint, 1000);
	for (uint32_t i = 0; i < 10; i++) {
		take(fd);
		ck_assert_uint_eq(came.size, 100);
		ck_assert_mem_eq(came.data, data + i * 100, 4);
		ck_assert_uint_eq(field(4), i + 1);
	}
	close(fd);
}

static void put_request(int fd, const struct endpoint *endpoint, uint32_t number)
{
	number = htonl(number);
	memset(data, 0, 44);
	memcpy(data, &number, sizeof(number));
	put(fd, endpoint, 44);
}

/* Replies to what came before a sender began anew keep their numbers, in the same batch, too. */
TEST(a_session_begins_anew_between_two_replies_of_a_batch)
{
	static const uint32_t numbers[][2] = {{7, 1}, {8, 2}, {0, 0}, {1, 1}, {0, 0}, {2, 1}};
	struct service *service = scene_service(STAMP "stamp_sessions = 1\n", "x");
	struct endpoint *endpoint = scene_serve(service, SOCKET_UDP, "127.0.0.1");
	int fd = datagram_socket("127.0.0.1");

	put_request(fd, endpoint, 6);
	take(fd);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		put_request(fd, endpoint, numbers[i][0]);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		take(fd);
		ck_assert_uint_eq(field(24), numbers[i][0]);
		ck_assert_uint_eq(field(0), numbers[i][1]);
	}
	close(fd);
}

TEST(without_a_session_there_is_no_answer)
{
	struct service *service = scene_service(PLUS "stamp_sessions = 1\n", "x");
	struct endpoint *endpoint = scene_serve(service, SOCKET_UDP, "127.0.0.1");
	int first = datagram_socket("127.0.0.1"), second = datagram_socket("127.0.0.1");

	put(first, endpoint, 24);
	take(first);
	put(second, endpoint, 24);
	TURN_UNTIL(scene_count(UDP_DROPPED_SESSIONS) == 1);
	ck_assert_ptr_nonnull(strstr(log_lines(), "(stamp_sessions)"));
	put(first, endpoint, 24);
	take(first);
	ck_assert_uint_eq(field(4), 2);
	close(first);
	close(second);
}

static void expect_tos(int fd, int tos)
{
	take(fd);
	ck_assert_int_eq(came.tos, tos);
}

TEST(the_reply_has_the_dscp_of_its_question_and_no_ecn)
{
	struct endpoint *endpoint =
		scene_serve(scene_service(REFLECTING, "x"), SOCKET_UDP, "127.0.0.1");
	int fd = datagram_socket("127.0.0.1");

	for (int tos = 0; tos < 256; tos++) {
		set_tos(fd, tos);
		put(fd, endpoint, 9);
		expect_tos(fd, tos & 0xfc);
	}
	close(fd);
}

TEST(without_reflect_dscp_the_reply_has_none)
{
	struct service *service = scene_service("[listener x]\naddress = 127.0.0.1:0\n", "x");
	struct endpoint *endpoint = scene_serve(service, SOCKET_UDP, "127.0.0.1");
	int fd = datagram_socket("127.0.0.1");

	set_tos(fd, 0xb8);
	put(fd, endpoint, 9);
	expect_tos(fd, 0);
	close(fd);
}

/* Three of one class are a train of ours, which must not take along the fourth. */
TEST(trains_of_different_dscp_stay_apart)
{
	static const int classes[] = {0xb8, 0xb8, 0xb8, 0x28, 0x28, 0, 0xb8, 0xb9};
	struct endpoint *endpoint =
		scene_serve(scene_service(REFLECTING, "x"), SOCKET_UDP, "127.0.0.1");
	int fd = datagram_socket("127.0.0.1");

	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		set_tos(fd, classes[i]);
		put(fd, endpoint, 100);
	}
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		expect_tos(fd, classes[i] & 0xfc);
	close(fd);
}

static void expect_reflected(struct endpoint *endpoint, const char *host)
{
	int fd = datagram_socket(host);
	struct address to = own_of(endpoint, host);

	set_tos(fd, 0x28);
	send_datagram(fd, &to, data, 100);
	expect_tos(fd, 0x28);
	close(fd);
}

TEST(every_family_is_reflected)
{
	struct service *service = scene_service(REFLECTING, "x");
	struct address any = at("::", 0);
	struct listen_socket *adopted;
	struct reason reason;
	int fd, both = 0;

	need_ipv6();
	expect_reflected(scene_serve(service, SOCKET_UDP, "::1"), "::1");
	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &both, sizeof(both)), 0);
	ck_assert_int_eq(bind(fd, &any.sa, any.length), 0);
	adopted = listen_socket_adopt(fd, SOCKET_UDP, &reason);
	ck_assert_msg(adopted != NULL, "%s", reason.text);
	scene_serve_socket(service, adopted);
	expect_reflected(LIST_FIRST(&scene_loop.endpoints), "::1");
	expect_reflected(LIST_FIRST(&scene_loop.endpoints), "127.0.0.1");
}
