/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Datagram sockets: room for bursts, what was lost, and sockets made by another process. */

#include "config.h"

#include "echod/sockets/listen_socket.h"

#include <netinet/tcp.h>

#include "echod/sockets/socket_options.h"
#include "unit/listening.h"

#define ASKED (4 * 1024 * 1024)

/* A host that grants less than this one; 0: as this one does. The program is linked for it. */
static int most_granted;

int __real_setsockopt(int fd, int level, int option, const void *value, socklen_t length);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t length);
int __wrap_setsockopt(int fd, int level, int option, const void *value, socklen_t length)
{
	if (most_granted > 0 && level == SOL_SOCKET &&
	    (option == SO_RCVBUF || option == SO_SNDBUF) && *(const int *)value > most_granted)
		value = &most_granted;
	return __real_setsockopt(fd, level, option, value, length);
}

static void set_value(int fd, int option, int value)
{
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, option, &value, sizeof(value)), 0);
}

static int bound(int type, const char *host)
{
	struct address address = at(host, 0);
	int fd = socket(address.sa.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, &address.sa, address.length), 0);
	return fd;
}

static struct listen_socket *adopt(int fd, enum socket_kind kind)
{
	struct listen_socket *adopted = listen_socket_adopt(fd, kind, &reason);

	ck_assert_msg(adopted != NULL, "%s", reason.text);
	ck_assert_int_eq(adopted->fd, fd);
	ck_assert(adopted->handed);
	return adopted;
}

static bool has_small_buffers(const struct listen_socket *socket)
{
	return socket_options_buffers_small(socket->fd, socket->kind);
}

TEST(adopting_raises_small_buffers)
{
	static const int options[] = {SO_RCVBUF, SO_SNDBUF};
	int plain = bound(SOCK_DGRAM, "127.0.0.1"), handed = bound(SOCK_DGRAM, "127.0.0.1");
	struct listen_socket *adopted;
	bool small = false;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		set_value(plain, options[i], ASKED);
		set_value(handed, options[i], 4096);
	}
	adopted = adopt(handed, SOCKET_UDP);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		int granted = option_of(plain, SOL_SOCKET, options[i]);

		ck_assert_int_eq(option_of(handed, SOL_SOCKET, options[i]), granted);
		small |= granted < 2 * ASKED; /* the kernel reports twice what it granted */
	}
	ck_assert_int_eq(has_small_buffers(adopted), small);
	listen_socket_release(adopted);
}

TEST(adopting_never_lowers_what_was_granted)
{
	int fd = bound(SOCK_DGRAM, "127.0.0.1"), more = 16 * 1024 * 1024;
	struct listen_socket *adopted;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &more, sizeof(more)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &more, sizeof(more)) < 0)
		skip("may not have larger buffers");
	adopted = adopt(fd, SOCKET_UDP);
	ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_RCVBUF), 2 * more);
	ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_SNDBUF), 2 * more);
	ck_assert(!has_small_buffers(adopted));
	listen_socket_release(adopted);
}

TEST(adopting_does_not_lower_what_is_less_than_asked_for)
{
	static const int options[] = {SO_RCVBUF, SO_SNDBUF};
	int fd = bound(SOCK_DGRAM, "127.0.0.1"), granted = 128 * 1024;
	struct listen_socket *adopted;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		set_value(fd, options[i], granted);
	most_granted = granted / 2;
	adopted = adopt(fd, SOCKET_UDP);
	most_granted = 0;
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		ck_assert_int_eq(option_of(fd, SOL_SOCKET, options[i]), 2 * granted);
	ck_assert(has_small_buffers(adopted));
	listen_socket_release(adopted);
}

TEST(half_of_what_was_asked_for_is_small)
{
	int fd = bound(SOCK_DGRAM, "127.0.0.1"), half = ASKED / 2, whole = ASKED;
	struct listen_socket *adopted;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &half, sizeof(half)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &whole, sizeof(whole)) < 0)
		skip("may not have larger buffers");
	adopted = adopt(fd, SOCKET_UDP);
	set_value(fd, SO_RCVBUFFORCE, half); /* where the host grants anybody all of it */
	ck_assert(has_small_buffers(adopted));
	set_value(fd, SO_RCVBUFFORCE, whole);
	ck_assert(!has_small_buffers(adopted));
	listen_socket_release(adopted);
}

/* Sends more than the buffer holds; returns how many were dropped. */
static uint64_t overflow(struct listen_socket *socket)
{
	int fd = datagram_socket("127.0.0.1");

	set_value(socket->fd, SO_RCVBUF, 1);
	for (int i = 0; i < 100; i++)
		send_datagram(fd, &socket->address, "drop", 4);
	close(fd);
	return listen_socket_drops(socket);
}

TEST(drops_are_not_forgotten_with_the_socket)
{
	struct listen_socket *adopted = adopt(bound(SOCK_DGRAM, "127.0.0.1"), SOCKET_UDP);
	uint64_t before = listen_socket_drops_of_closed(), drops = overflow(adopted);

	ck_assert_uint_gt(drops, 0);
	ck_assert_uint_eq(listen_socket_drops_of_closed(), before);
	listen_socket_release(adopted);
	ck_assert_uint_eq(listen_socket_drops_of_closed(), before + drops);
}

TEST(drops_are_counted_on_where_the_count_of_the_kernel_begins_again)
{
	struct listen_socket *adopted = adopt(bound(SOCK_DGRAM, "127.0.0.1"), SOCKET_UDP);
	uint64_t drops = overflow(adopted);

	/* As of the last time, so that it went around since. */
	adopted->drops = adopted->kernel_drops = UINT32_MAX;
	ck_assert_uint_eq(listen_socket_drops(adopted), UINT64_C(0x100000000) + drops);
	ck_assert_uint_eq(listen_socket_drops(adopted), UINT64_C(0x100000000) + drops);
	listen_socket_release(adopted);
}

TEST(what_a_former_instance_lost_is_not_counted_again)
{
	struct listen_socket *former = adopt(bound(SOCK_DGRAM, "127.0.0.1"), SOCKET_UDP), *next;
	int kept = fcntl(former->fd, F_DUPFD_CLOEXEC, 0);
	uint64_t drops = overflow(former), of_closed;

	ck_assert_uint_gt(drops, 0);
	listen_socket_release(former);
	of_closed = listen_socket_drops_of_closed();
	next = adopt(kept, SOCKET_UDP);
	ck_assert_uint_eq(listen_socket_drops(next), 0);
	drops = overflow(next);
	ck_assert_uint_gt(drops, 0);
	ck_assert_uint_le(drops, 100);
	listen_socket_release(next);
	ck_assert_uint_eq(listen_socket_drops_of_closed(), of_closed + drops);
}

TEST(only_udp_has_buffers_to_complain_of)
{
	struct listen_socket *adopted = adopt(bound(SOCK_STREAM, "127.0.0.1"), SOCKET_TCP);

	ck_assert(!has_small_buffers(adopted));
	listen_socket_release(adopted);
}

TEST(adopted_sockets_get_what_opened_ones_have)
{
	int udp = bound(SOCK_DGRAM, "127.0.0.1"), tcp = bound(SOCK_STREAM, "127.0.0.1");
	struct listen_socket *datagrams = adopt(udp, SOCKET_UDP), *streams = adopt(tcp, SOCKET_TCP);

	ck_assert_int_eq(option_of(udp, SOL_IP, IP_PKTINFO), 1);
	ck_assert_int_eq(option_of(udp, SOL_IP, IP_RECVTTL), 1);
	ck_assert_int_eq(option_of(tcp, SOL_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(option_of(tcp, SOL_SOCKET, SO_OOBINLINE), 1);
	ck_assert_int_eq(option_of(tcp, SOL_TCP, TCP_KEEPIDLE), 300);
	listen_socket_release(datagrams);
	listen_socket_release(streams);
}

TEST(an_adopted_dual_stack_socket_reports_both_families)
{
	struct address any = at("::", 0);
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), both = 0;
	struct listen_socket *adopted;

	if (fd < 0 || setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &both, sizeof(both)) < 0 ||
	    bind(fd, &any.sa, any.length) < 0)
		skip("no IPv6 here");
	adopted = adopt(fd, SOCKET_UDP);
	ck_assert_int_eq(option_of(fd, SOL_IP, IP_PKTINFO), 1);
	ck_assert_int_eq(option_of(fd, SOL_IP, IP_RECVTTL), 1);
	ck_assert_int_eq(option_of(fd, SOL_IPV6, IPV6_RECVPKTINFO), 1);
	ck_assert_int_eq(option_of(fd, SOL_IPV6, IPV6_V6ONLY), 0); /* as it was handed over */
	listen_socket_release(adopted);
}

TEST(the_file_of_an_adopted_socket_stays)
{
	const char *path = test_path("handed");
	struct listen_socket *adopted = adopt(bound(SOCK_DGRAM, path), SOCKET_UNIXGRAM);

	listen_socket_unlink(adopted);
	ck_assert_int_eq(access(path, F_OK), 0);
	listen_socket_release(adopted);
	ck_assert_int_eq(unlink(path), 0);
}

TEST(what_cannot_be_adopted_has_a_reason)
{
	int pipe_ends[2];

	ck_assert_int_eq(pipe2(pipe_ends, O_CLOEXEC), 0);
	ck_assert_ptr_null(listen_socket_adopt(pipe_ends[0], SOCKET_TCP, &reason));
	ck_assert_int_eq(errno, ENOTSOCK);
	ck_assert_ptr_nonnull(strstr(reason.text, "getsockname"));
	ck_assert_ptr_null(
		listen_socket_adopt(bound(SOCK_DGRAM, "127.0.0.1"), SOCKET_TCP, &reason));
	ck_assert_ptr_nonnull(strstr(reason.text, "setsockopt"));
}

TEST(what_the_kernel_dropped_is_reported)
{
	struct listen_socket *socket = open_at(SOCKET_UDP, "127.0.0.1", 0);
	int client = datagram_socket("127.0.0.1");
	static char data[1000];
	const unsigned sent = 100;
	unsigned received = 0;

	ck_assert_uint_eq(listen_socket_drops(socket), 0);
	set_value(socket->fd, SO_RCVBUF, 4096);
	for (unsigned i = 0; i < sent; i++)
		send_datagram(client, &socket->address, data, sizeof(data));
	WAIT_UNTIL(listen_socket_drops(socket) > sent / 2);
	while (recv(socket->fd, data, sizeof(data), MSG_DONTWAIT) > 0)
		received++;
	ck_assert_uint_gt(received, 0);
	WAIT_UNTIL(listen_socket_drops(socket) + received == sent);
	listen_socket_release(socket);
}
