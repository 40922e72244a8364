/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A socket about to be closed: what waits there is served, what arrives later goes elsewhere. */

#include "config.h"

#include "unit/listening.h"

/* From one address to all of them and back, as a reload may want it. */
static const struct {
	const char *gone;
	const char *next;
	const char *dial;
} moves[] = {{"127.0.0.1", "0.0.0.0", "127.0.0.1"},
	     {"0.0.0.0", "127.0.0.1", "127.0.0.1"},
	     {"::1", "::", "::1"},
	     {"::", "::1", "::1"}};

static void expect_accepted(const struct listen_socket *socket, int client)
{
	int fd = accept(socket->fd, NULL, NULL);

	ck_assert_msg(fd >= 0, "%s", strerror(errno));
	send_all(client, "x", 1);
	expect_text(fd, "x");
	send_all(fd, "y", 1);
	expect_text(client, "y");
	ck_assert_int_eq(accept(socket->fd, NULL, NULL), -1);
	ck_assert_int_eq(errno, EAGAIN);
	close(fd);
	close(client);
}

TEST_CASE("retire", need_own_network);

TEST_EACH(connections_go_to_the_next_and_none_is_lost, ARRAY_SIZE(moves))
{
	struct listen_socket *gone = open_at(SOCKET_TCP, moves[_i].gone, 0), *next;
	int before = connect_to(moves[_i].dial, port_of(gone)), after;

	next = open_at(SOCKET_TCP, moves[_i].next, port_of(gone));
	listen_socket_retire(gone);
	after = connect_to(moves[_i].dial, port_of(next));
	expect_accepted(gone, before);
	expect_accepted(next, after);
	listen_socket_release(gone);
	listen_socket_release(next);
}

/* One datagram waits there; its sender gets a reply from there. */
static void expect_datagram(const struct listen_socket *socket, int client, const char *text)
{
	struct address peer = {.length = sizeof(peer.un)};
	char data[16] = "";

	ck_assert_int_eq(recvfrom(socket->fd, data, sizeof(data), 0, &peer.sa, &peer.length),
			 (ssize_t)strlen(text));
	ck_assert_str_eq(data, text);
	ck_assert_int_eq(sendto(socket->fd, data, strlen(text), 0, &peer.sa, peer.length),
			 (ssize_t)strlen(text));
	expect_text(client, text);
	ck_assert_int_eq(recv(socket->fd, data, sizeof(data), 0), -1);
	ck_assert_int_eq(errno, EAGAIN);
}

TEST_EACH(datagrams_go_to_the_next_and_none_is_lost, ARRAY_SIZE(moves))
{
	struct listen_socket *gone = open_at(SOCKET_UDP, moves[_i].gone, 0), *next;
	struct address to = at(moves[_i].dial, port_of(gone));
	int client = datagram_socket(moves[_i].dial);

	send_datagram(client, &to, "before", 6);
	next = open_at(SOCKET_UDP, moves[_i].next, port_of(gone));
	listen_socket_retire(gone);
	send_datagram(client, &to, "after", 5);
	expect_datagram(gone, client, "before");
	expect_datagram(next, client, "after");
	listen_socket_release(gone);
	listen_socket_release(next);
}

TEST_CASE("without a next one");

TEST(without_a_next_one_no_client_gets_in)
{
	struct listen_socket *stream = open_at(SOCKET_TCP, "127.0.0.1", 0);
	struct listen_socket *datagrams = open_at(SOCKET_UDP, "127.0.0.1", 0);
	int client = datagram_socket("127.0.0.1");
	char byte;

	listen_socket_retire(stream);
	listen_socket_retire(datagrams);
	ck_assert_int_eq(try_connect("127.0.0.1", port_of(stream)), -1);
	ck_assert_int_eq(connect(client, &datagrams->address.sa, datagrams->address.length), 0);
	send_all(client, "x", 1);
	ck_assert_int_eq(recv(client, &byte, 1, 0), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	listen_socket_release(stream);
	listen_socket_release(datagrams);
}

TEST(a_unix_socket_has_no_kernel_to_ask)
{
	struct listen_socket *socket = open_at(SOCKET_UNIX, test_path("s"), 0);

	listen_socket_retire(socket);
	expect_accepted(socket, connect_to(socket->address.un.sun_path, 0));
	listen_socket_unlink(socket);
	listen_socket_release(socket);
}
