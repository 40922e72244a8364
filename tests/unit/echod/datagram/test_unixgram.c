/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagrams of unix sockets: whole, in order, counted, and no client delays another. */

#include "config.h"

#include "echod/datagram/unixgram.h"

#include "support/test.h"
#include "unit/loop_scene.h"

#define PLAIN "[listener x]\naddress = 127.0.0.1:0\n"
#define LARGEST 65535

static struct endpoint *endpoint;
static char data[LARGEST + 2], echo[LARGEST + 2];

static void set_up(void)
{
	scene_open();
	endpoint = scene_serve(scene_service(PLAIN, "x"), SOCKET_UNIXGRAM, test_path("server"));
	fill(data, sizeof(data), 11);
}

static void tear_down(void)
{
	/* Whatever happened, each datagram was counted once more. */
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_DATAGRAMS),
			  scene_count(UDP_ECHOED_DATAGRAMS) + scene_count(UDP_DROPPED_GUARD) +
				  scene_count(UDP_DROPPED_SEND));
	listen_socket_unlink(endpoint->socket);
	scene_close();
}

static int named_client(const char *name)
{
	struct address own = at(test_path(name), 0);
	int fd = new_socket(&own, SOCK_DGRAM), buffer = 1 << 18;

	(void)unlink(own.un.sun_path); /* of another test's client */
	ck_assert_int_eq(bind(fd, &own.sa, own.length), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer)), 0);
	return fd;
}

static void put(int fd, size_t size)
{
	send_datagram(fd, &endpoint->socket->address, data, size);
}

static void expect_back(int fd, size_t size)
{
	ssize_t got;

	TURN_UNTIL((got = recv(fd, echo, sizeof(echo), MSG_DONTWAIT)) >= 0);
	ck_assert_uint_eq((size_t)got, size);
	ck_assert_mem_eq(echo, data, size);
}

TEST_CASE("echo", set_up, tear_down);

TEST(every_size_comes_back_whole_and_in_order)
{
	static const size_t sizes[] = {0, 1, 2, 1472, 8192, LARGEST - 1, LARGEST};
	int fd = named_client("client");

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		put(fd, sizes[i]);
		expect_back(fd, sizes[i]);
	}
	for (size_t size = 1; size <= 5; size++)
		put(fd, size);
	for (size_t size = 1; size <= 5; size++)
		expect_back(fd, size);
	ck_assert_uint_eq(scene_count(UDP_ECHOED_DATAGRAMS), ARRAY_SIZE(sizes) + 5);
	ck_assert_uint_eq(scene_count(UDP_SENT_BYTES), scene_count(UDP_RECEIVED_BYTES));
}

TEST(a_sender_without_a_name_is_dropped)
{
	int fd = new_socket(&endpoint->socket->address, SOCK_DGRAM);

	put(fd, 10);
	TURN_UNTIL(scene_count(UDP_DROPPED_GUARD) == 1);
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_BYTES), 10);
	ck_assert_uint_eq(scene_count(UDP_SENT_BYTES), 0);
}

TEST(one_longer_than_we_take_is_dropped_and_never_cut)
{
	int fd = named_client("client");

	put(fd, LARGEST + 2);
	put(fd, LARGEST + 1);
	TURN_UNTIL(scene_count(UDP_DROPPED_GUARD) == 2);
	ck_assert_int_eq(recv(fd, echo, sizeof(echo), MSG_DONTWAIT), -1);
}

TEST(a_client_that_is_gone_costs_only_its_own)
{
	int gone = named_client("gone"), good = named_client("good");

	put(gone, 3);
	put(good, 4);
	close(gone);
	expect_back(good, 4);
	ck_assert_uint_eq(scene_count(UDP_DROPPED_SEND), 1);
}

TEST(a_deaf_client_costs_only_its_own)
{
	int deaf = named_client("deaf"), good = named_client("good");

	while (scene_count(UDP_DROPPED_SEND) == 0) {
		put(deaf, 1);
		scene_turn();
	}
	put(deaf, 1);
	put(good, 4);
	expect_back(good, 4);
}

/* With a datagram of a unix socket may come descriptors, which would fill our table for ever. */
TEST(descriptors_that_come_along_are_not_taken)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {.align = {.cmsg_len = CMSG_LEN(sizeof(int)),
			       .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS}};
	struct msghdr message = {.msg_name = &endpoint->socket->address.sa,
				 .msg_namelen = endpoint->socket->address.length,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	int fd = named_client("client"), ends[2];
	char byte;

	ck_assert_int_eq(pipe(ends), 0);
	memcpy(CMSG_DATA(&control.align), &ends[1], sizeof(int));
	ck_assert_int_eq(sendmsg(fd, &message, 0), 0);
	close(ends[1]);
	expect_back(fd, 0);
	ck_assert_int_eq(read(ends[0], &byte, 1), 0); /* the other end is closed everywhere */
}

/* Its sender may be gone, and nothing else would ever end this. */
TEST_EACH(a_name_that_leads_back_to_us_is_not_answered_for_ever, 2)
{
	struct service *service = endpoint->service;
	struct endpoint *other = scene_serve(service, SOCKET_UNIXGRAM, test_path("other"));
	const char *target = _i == 0 ? "server" : "other";
	const char *own = test_path("link");
	int fd = named_client("link");

	ck_assert_int_eq(unlink(own), 0);
	ck_assert_int_eq(symlink(test_path(target), own), 0);
	put(fd, 10);
	close(fd);
	TURN_UNTIL(scene_count(UDP_DROPPED_GUARD) == 1);
	ck_assert_uint_eq(scene_count(UDP_RECEIVED_DATAGRAMS), 2);
	ck_assert_int_eq(unlink(own), 0);
	listen_socket_unlink(other->socket);
}

TEST(a_name_that_fills_its_room_is_answered)
{
	struct sockaddr_un own = {.sun_family = AF_UNIX};
	const char *directory = test_directory();
	size_t used = strlen(directory);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(own.sun_path, 'x', sizeof(own.sun_path));
	memcpy(own.sun_path, directory, used);
	own.sun_path[used] = '/';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	put(fd, 10);
	expect_back(fd, 10);
}
