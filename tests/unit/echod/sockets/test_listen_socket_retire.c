/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A socket about to be closed: what waits there is served, what comes later goes elsewhere. */

#include "config.h"

#include "echod/sockets/listen_socket.h"
#include "integration/harness.h"
#include "integration/net.h"

/* From one address to all of them and back, as a reload may want it. */
static const struct {
	const char *gone;
	const char *next;
	const char *dial;
} moves[] = {{"127.0.0.1", "0.0.0.0", "127.0.0.1"},
	     {"0.0.0.0", "127.0.0.1", "127.0.0.1"},
	     {"::1", "::", "::1"},
	     {"::", "::1", "::1"}};

static bool alone; /* in a network of our own, where nobody else has a port */

static void set_up(void)
{
	alone = own_network();
}

static struct listen_socket *open_at(enum socket_kind kind, const char *host, uint16_t port)
{
	struct address address = at(host, port);
	struct reason reason;
	struct listen_socket *socket = listen_socket_open(kind, &address, &reason);

	ck_assert_msg(socket != NULL, "%s", reason.text);
	return socket;
}

static uint16_t port_of(const struct listen_socket *socket)
{
	return address_port(&socket->address);
}

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

TEST_CASE("retire", set_up);

TEST_EACH(connections_go_to_who_is_next_and_none_is_lost, ARRAY_SIZE(moves))
{
	struct listen_socket *gone, *next;
	int before, after;

	if (!alone)
		skip("this takes a network of its own");
	gone = open_at(SOCKET_TCP, moves[_i].gone, 0);
	before = connect_to(moves[_i].dial, port_of(gone));
	next = open_at(SOCKET_TCP, moves[_i].next, port_of(gone));
	listen_socket_retire(gone);
	after = connect_to(moves[_i].dial, port_of(next));
	expect_accepted(gone, before);
	expect_accepted(next, after);
	listen_socket_release(gone);
	listen_socket_release(next);
}

/* One datagram waits there; whoever sent it gets an answer from there. */
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

TEST_EACH(datagrams_go_to_who_is_next_and_none_is_lost, ARRAY_SIZE(moves))
{
	struct listen_socket *gone, *next;
	struct address to;
	int client;

	if (!alone)
		skip("this takes a network of its own");
	gone = open_at(SOCKET_UDP, moves[_i].gone, 0);
	to = at(moves[_i].dial, port_of(gone));
	client = datagram_socket(moves[_i].dial);
	send_datagram(client, &to, "before", 6);
	next = open_at(SOCKET_UDP, moves[_i].next, port_of(gone));
	listen_socket_retire(gone);
	send_datagram(client, &to, "after", 5);
	expect_datagram(gone, client, "before");
	expect_datagram(next, client, "after");
	listen_socket_release(gone);
	listen_socket_release(next);
	close(client);
}

TEST(without_a_next_one_nobody_gets_in)
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
	close(client);
}

TEST(a_unix_socket_has_no_kernel_to_ask)
{
	char path[64];
	struct address address = {.un = {.sun_family = AF_UNIX}};
	struct listen_socket *socket;
	struct reason reason;
	int client;

	(void)snprintf(path, sizeof(path), "%s/s", test_directory());
	memcpy(address.un.sun_path, path, strlen(path) + 1);
	address.length = sizeof(address.un);
	socket = listen_socket_open(SOCKET_UNIX, &address, &reason);
	ck_assert_ptr_nonnull(socket);
	listen_socket_retire(socket);
	client = connect_to(path, 0);
	expect_accepted(socket, client);
	listen_socket_unlink(socket);
	listen_socket_release(socket);
}
