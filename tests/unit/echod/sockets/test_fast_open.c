/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * TCP Fast Open: what comes in a SYN, whose source can be forged, is not taken, even where the
 * system has every listener take it.
 */

#include "config.h"

#include <netinet/tcp.h>

#include "unit/listening.h"

/* Clients send without a cookie, listeners take that, and need not ask for it. */
#define FOR_EVERYONE "1543" /* 0x1 | 0x2 | 0x4 | 0x200 | 0x400 */

#define SYN_DATA_TAKEN 32 /* TCPI_OPT_SYN_DATA of linux/tcp.h, which excludes netinet/tcp.h */

static bool allow_for_everyone(void)
{
	int fd = open("/proc/sys/net/ipv4/tcp_fastopen", O_WRONLY | O_CLOEXEC);
	bool written = write(fd, FOR_EVERYONE, strlen(FOR_EVERYONE)) > 0;

	close(fd);
	return written;
}

static void set_up(void)
{
	if (!own_network() || !allow_for_everyone())
		skip("a network of our own, or its settings, cannot be had here");
}

/* A client sends its first bytes in its SYN: whether these were taken, and so acknowledged. */
static bool takes_data_of_a_syn(const struct address *server)
{
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct tcp_info info;
	socklen_t size = sizeof(info);

	ck_assert_int_eq(sendto(client, "x", 1, MSG_FASTOPEN, &server->sa, server->length), 1);
	ck_assert_int_eq(getsockopt(client, SOL_TCP, TCP_INFO, &info, &size), 0);
	close(client);
	return (info.tcpi_options & SYN_DATA_TAKEN) != 0;
}

/* As a service manager makes them. */
static int foreign_listener(struct address *address)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	*address = at("127.0.0.1", 0);
	ck_assert_int_eq(bind(fd, &address->sa, address->length), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, &address->sa, &address->length), 0);
	return fd;
}

TEST_CASE("fast_open", set_up);

TEST(a_listener_of_ours_takes_no_data_of_a_syn)
{
	struct listen_socket *socket = open_at(SOCKET_TCP, "127.0.0.1", 0);

	ck_assert(!takes_data_of_a_syn(&socket->address));
	listen_socket_release(socket);
}

TEST(a_handed_listener_no_longer_does)
{
	struct address address;
	struct listen_socket *socket;
	int fd = foreign_listener(&address);

	ck_assert(takes_data_of_a_syn(&address));
	socket = listen_socket_adopt(fd, SOCKET_TCP, &reason);
	ck_assert_msg(socket != NULL, "%s", reason.text);
	ck_assert(!takes_data_of_a_syn(&address));
	listen_socket_release(socket);
}
