/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Listening sockets as the kernel shows them: what accepted ones inherit, who else is met. */

#include "config.h"

#include "echod/sockets/listen_socket.h"

#include <netinet/tcp.h>

#include "integration/harness.h"
#include "integration/net.h"
#include "unit/log_lines.h"

static struct reason reason;

static bool alone; /* in a network of our own, where nobody else has a port */

static void set_up(void)
{
	alone = own_network();
}

static struct listen_socket *open_at(enum socket_kind kind, const char *host, uint16_t port)
{
	struct address address = at(host, port);
	struct listen_socket *socket = listen_socket_open(kind, &address, &reason);

	ck_assert_msg(socket != NULL, "%s", reason.text);
	return socket;
}

/* It cannot be had: the error, and a piece of what is said. */
static void expect_not_opened(enum socket_kind kind, const char *host, uint16_t port, int error,
			      const char *says)
{
	struct address address = at(host, port);

	ck_assert_ptr_null(listen_socket_open(kind, &address, &reason));
	ck_assert_int_eq(errno, error);
	ck_assert_msg(strstr(reason.text, says) != NULL, "\"%s\" lacks \"%s\"", reason.text, says);
}

static const char *path_named(const char *name)
{
	static char path[108];

	snprintf(path, sizeof(path), "%s/%s", test_directory(), name);
	return path;
}

TEST_CASE("open", set_up);

TEST(accepted_connections_inherit_what_they_need)
{
	struct listen_socket *listener = open_at(SOCKET_TCP, "127.0.0.1", 0);
	int client = connect_to("127.0.0.1", address_port(&listener->address));
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(option_of(fd, SOL_TCP, TCP_NODELAY), 1);
	ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_OOBINLINE), 1);
	ck_assert_int_eq(option_of(fd, SOL_SOCKET, SO_KEEPALIVE), 1);
	ck_assert_int_eq(option_of(fd, SOL_TCP, TCP_KEEPIDLE), 300);
	ck_assert_int_eq(option_of(fd, SOL_TCP, TCP_KEEPINTVL), 30);
	ck_assert_int_eq(option_of(fd, SOL_TCP, TCP_KEEPCNT), 4);
	ck_assert_int_eq(option_of(fd, SOL_TCP, TCP_NOTSENT_LOWAT), 128 * 1024);
	ck_assert_int_eq(option_of(fd, SOL_TCP, TCP_LINGER2), 1);
	ck_assert_int_eq(option_of(fd, SOL_TCP, TCP_USER_TIMEOUT), 0);
	close(fd);
	close(client);
	listen_socket_release(listener);
}

TEST(no_descriptor_waits_or_is_inherited)
{
	for (int kind = SOCKET_TCP; kind <= SOCKET_UNIXGRAM; kind++) {
		bool is_unix = socket_is_unix((enum socket_kind)kind);
		struct listen_socket *socket =
			open_at((enum socket_kind)kind, is_unix ? path_named("x") : "127.0.0.1", 0);

		ck_assert_int_ne(fcntl(socket->fd, F_GETFL) & O_NONBLOCK, 0);
		ck_assert_int_ne(fcntl(socket->fd, F_GETFD) & FD_CLOEXEC, 0);
		ck_assert(!socket->handed);
		ck_assert(is_unix || address_port(&socket->address) != 0);
		listen_socket_unlink(socket);
		listen_socket_release(socket);
	}
}

TEST(ipv6_leaves_ipv4_to_others)
{
	struct listen_socket *ipv6, *ipv4;

	if (!alone || !has_ipv6())
		skip("no IPv6 here, or a port may be somebody's");
	for (int kind = SOCKET_TCP; kind <= SOCKET_UDP; kind++) {
		ipv6 = open_at((enum socket_kind)kind, "::", 0);
		ck_assert_int_eq(option_of(ipv6->fd, SOL_IPV6, IPV6_V6ONLY), 1);
		ipv4 = open_at((enum socket_kind)kind, "0.0.0.0", address_port(&ipv6->address));
		listen_socket_release(ipv6);
		listen_socket_release(ipv4);
	}
}

TEST(workers_share_an_address)
{
	for (int kind = SOCKET_TCP; kind <= SOCKET_UDP; kind++) {
		struct listen_socket *one = open_at((enum socket_kind)kind, "127.0.0.1", 0);
		struct listen_socket *other =
			open_at((enum socket_kind)kind, "127.0.0.1", address_port(&one->address));

		listen_socket_release(one);
		listen_socket_release(other);
	}
}

TEST(a_probe_finds_whoever_shares)
{
	for (int kind = SOCKET_TCP; kind <= SOCKET_UDP; kind++) {
		struct listen_socket *held = open_at((enum socket_kind)kind, "127.0.0.1", 0);
		struct address same = held->address;
		struct address any = at("0.0.0.0", address_port(&same));
		struct address other = at("127.0.0.2", address_port(&same));

		ck_assert_int_eq(listen_socket_probe((enum socket_kind)kind, &same, &reason), -1);
		ck_assert_int_eq(errno, EADDRINUSE);
		ck_assert_ptr_nonnull(strstr(reason.text, "another program has it"));
		ck_assert_int_eq(listen_socket_probe((enum socket_kind)kind, &any, &reason), -1);
		ck_assert_int_eq(listen_socket_probe((enum socket_kind)kind, &other, &reason), 0);
		listen_socket_release(held);
		ck_assert_int_eq(listen_socket_probe((enum socket_kind)kind, &same, &reason), 0);
	}
}

TEST(a_probe_finds_who_would_let_anyone_in)
{
	struct address address = at("127.0.0.1", 0);
	int fd = new_socket(&address, SOCK_DGRAM), yes = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(bind(fd, &address.sa, address.length), 0);
	ck_assert_int_eq(getsockname(fd, &address.sa, &address.length), 0);
	ck_assert_int_eq(listen_socket_probe(SOCKET_UDP, &address, &reason), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	close(fd);
}

TEST(a_probe_does_not_mind_connections_that_are_over)
{
	struct listen_socket *listener = open_at(SOCKET_TCP, "127.0.0.1", 0);
	struct address address = listener->address;
	int client = connect_to("127.0.0.1", address_port(&address));
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);

	close(fd); /* we first: our end stays in TIME_WAIT */
	expect_end(client);
	close(client);
	listen_socket_release(listener);
	ck_assert_msg(listen_socket_probe(SOCKET_TCP, &address, &reason) == 0, "%s", reason.text);
	listen_socket_release(open_at(SOCKET_TCP, "127.0.0.1", address_port(&address)));
}

TEST(a_failure_says_what_and_what_would_help)
{
	struct address other = at("127.0.0.1", 0);
	int fd = new_socket(&other, SOCK_STREAM);

	ck_assert_int_eq(bind(fd, &other.sa, other.length), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(getsockname(fd, &other.sa, &other.length), 0);
	expect_not_opened(SOCKET_TCP, "127.0.0.1", address_port(&other), EADDRINUSE,
			  "another program has it");
	ck_assert_ptr_nonnull(strstr(reason.text, "cannot listen on tcp 127.0.0.1:"));
	expect_not_opened(
		SOCKET_UDP, "192.0.2.1", 0, EADDRNOTAVAIL,
		"cannot listen on udp 192.0.2.1:0: bind: Cannot assign requested address: "
		"no interface of this host has that address");
	expect_not_opened(SOCKET_UNIX, "/nowhere/at/all", 0, ENOENT,
			  "cannot listen on unix /nowhere/at/all: bind: ");
	close(fd);
}

TEST(a_port_that_is_not_ours_to_take_is_not_permitted)
{
	if (!own_network() || setuid(65534) < 0)
		skip("may not become somebody else");
	expect_not_opened(SOCKET_TCP, "127.0.0.1", 7, EACCES, "CAP_NET_BIND_SERVICE");
}

TEST(a_unix_socket_is_for_everyone_whatever_the_umask)
{
	struct listen_socket *socket;
	struct stat status;
	const char *path = path_named("everyone");

	umask(0077);
	for (int kind = SOCKET_UNIX; kind <= SOCKET_UNIXGRAM; kind++) {
		socket = open_at((enum socket_kind)kind, path, 0);
		ck_assert_int_eq(stat(path, &status), 0);
		ck_assert_uint_eq(status.st_mode & 07777, 0666);
		ck_assert_uint_eq(umask(0077), 0077); /* as it was */
		listen_socket_unlink(socket);
		ck_assert_int_eq(stat(path, &status), -1);
		listen_socket_release(socket);
	}
}

TEST(a_stale_file_is_replaced)
{
	const char *path = path_named("stale");

	for (int kind = SOCKET_UNIX; kind <= SOCKET_UNIXGRAM; kind++) {
		struct listen_socket *before = open_at((enum socket_kind)kind, path, 0), *after;

		listen_socket_release(before); /* its file stays, as after a crash */
		after = open_at((enum socket_kind)kind, path, 0);
		listen_socket_unlink(after);
		listen_socket_release(after);
	}
}

TEST(a_file_that_somebody_serves_is_left_alone)
{
	const char *path = path_named("served");

	for (int kind = SOCKET_UNIX; kind <= SOCKET_UNIXGRAM; kind++) {
		struct listen_socket *held = open_at((enum socket_kind)kind, path, 0);
		enum socket_kind other = kind == SOCKET_UNIX ? SOCKET_UNIXGRAM : SOCKET_UNIX;
		struct stat before, after;

		ck_assert_int_eq(stat(path, &before), 0);
		expect_not_opened((enum socket_kind)kind, path, 0, EADDRINUSE, "another program");
		expect_not_opened(other, path, 0, EADDRINUSE, "another program");
		ck_assert_int_eq(stat(path, &after), 0);
		ck_assert_uint_eq(before.st_ino, after.st_ino);
		listen_socket_unlink(held);
		listen_socket_release(held);
	}
}

TEST(a_server_with_a_full_queue_is_no_stale_one)
{
	struct listen_socket *held = open_at(SOCKET_UNIX, path_named("full"), 0);
	struct address address = held->address;
	int fd;

	ck_assert_int_eq(listen(held->fd, 0), 0);
	do {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	} while (connect(fd, &address.sa, address.length) == 0);
	ck_assert_int_eq(errno, EAGAIN);
	expect_not_opened(SOCKET_UNIX, address.un.sun_path, 0, EADDRINUSE, "another program");
	listen_socket_unlink(held);
	listen_socket_release(held);
}

TEST(what_is_no_socket_is_never_removed)
{
	const char *path = path_named("file");
	struct stat status;
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	close(fd);
	expect_not_opened(SOCKET_UNIX, path, 0, EEXIST, "it is no socket");
	ck_assert_int_eq(lstat(path, &status), 0);
	ck_assert(S_ISREG(status.st_mode));
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(symlink("/nowhere/at/all", path), 0);
	expect_not_opened(SOCKET_UNIXGRAM, path, 0, EEXIST, "it is no socket");
	ck_assert_int_eq(unlink(path), 0);
}

TEST(a_missing_directory_is_said)
{
	expect_not_opened(SOCKET_UNIX, "/nowhere/at/all", 0, ENOENT, "its directory is missing");
}

TEST(a_file_that_is_no_longer_ours_stays)
{
	const char *path = path_named("replaced");
	struct listen_socket *before = open_at(SOCKET_UNIX, path, 0), *after;
	struct stat status;

	ck_assert_int_eq(unlink(path), 0);
	after = open_at(SOCKET_UNIX, path, 0);
	listen_socket_unlink(before);
	ck_assert_int_eq(stat(path, &status), 0);
	listen_socket_unlink(after);
	ck_assert_int_eq(stat(path, &status), -1);
	listen_socket_unlink(after); /* twice is harmless */
	listen_socket_release(before);
	listen_socket_release(after);
}

TEST_EACH(a_file_that_may_not_be_removed_is_said, 2)
{
	const char *path = path_named("kept");
	struct listen_socket *socket = open_at(SOCKET_UNIX, path, 0);

	ck_assert_int_eq(chmod(test_directory(), _i == 0 ? 0755 : 01777), 0);
	if (seteuid(65534) < 0)
		skip("may not become somebody else");
	log_lines_begin(LEVEL_WARNING);
	listen_socket_unlink(socket);
	ck_assert_ptr_nonnull(strstr(log_lines(), "/kept, which nobody serves any more: "));
	log_lines_end();
	listen_socket_release(socket);
	if (_i == 0)
		expect_not_opened(SOCKET_UNIX, path_named("new"), 0, EACCES, "may not write");
	else
		expect_not_opened(SOCKET_UNIX, path, 0, EPERM, "another user left a file there");
	ck_assert_int_eq(seteuid(0), 0);
}

TEST(the_last_to_let_go_closes)
{
	struct listen_socket *socket = open_at(SOCKET_TCP, "127.0.0.1", 0);
	int fd = socket->fd;

	ck_assert_ptr_eq(listen_socket_hold(socket), socket);
	listen_socket_release(socket);
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	listen_socket_release(socket);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	listen_socket_release(NULL);
}
