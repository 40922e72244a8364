/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Listening sockets as the kernel shows them: what accepted ones inherit, and which has a port. */

#include "config.h"

#include "echod/sockets/listen_socket.h"

#include <netinet/tcp.h>

#include "unit/listening.h"
#include "unit/log_lines.h"

static bool alone; /* in a network of our own, where no other program has a port */

static void set_up(void)
{
	alone = own_network();
}

/* It cannot be had: the error, and a part of the reason. */
static void expect_not_opened(enum socket_kind kind, const char *host, uint16_t port, int error,
			      const char *says)
{
	struct address address = at(host, port);

	ck_assert_ptr_null(listen_socket_open(kind, &address, &reason));
	ck_assert_int_eq(errno, error);
	ck_assert_msg(strstr(reason.text, says) != NULL, "\"%s\" lacks \"%s\"", reason.text, says);
}

TEST_CASE("open", set_up);

TEST(accepted_connections_inherit_what_they_need)
{
	struct listen_socket *listener = open_at(SOCKET_TCP, "127.0.0.1", 0);
	int client = connect_to("127.0.0.1", port_of(listener));
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

static const enum socket_kind kinds[] = {SOCKET_TCP, SOCKET_UDP, SOCKET_UNIX, SOCKET_UNIXGRAM};

TEST_EACH(no_descriptor_waits_or_is_inherited, ARRAY_SIZE(kinds))
{
	bool is_unix = socket_is_unix(kinds[_i]);
	struct listen_socket *socket =
		open_at(kinds[_i], is_unix ? test_path("x") : "127.0.0.1", 0);

	ck_assert_int_ne(fcntl(socket->fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_ne(fcntl(socket->fd, F_GETFD) & FD_CLOEXEC, 0);
	ck_assert(!socket->handed);
	ck_assert(is_unix || port_of(socket) != 0);
	listen_socket_unlink(socket);
	listen_socket_release(socket);
}

TEST_EACH(ipv6_leaves_ipv4_to_others, 2)
{
	struct listen_socket *ipv6, *ipv4;

	if (!alone || !has_ipv6())
		skip("no IPv6 here, or a port may be somebody's");
	ipv6 = open_at(kinds[_i], "::", 0);
	ck_assert_int_eq(option_of(ipv6->fd, SOL_IPV6, IPV6_V6ONLY), 1);
	ipv4 = open_at(kinds[_i], "0.0.0.0", port_of(ipv6));
	listen_socket_release(ipv6);
	listen_socket_release(ipv4);
}

TEST_EACH(workers_share_an_address, 2)
{
	struct listen_socket *one = open_at(kinds[_i], "127.0.0.1", 0);

	listen_socket_release(open_at(kinds[_i], "127.0.0.1", port_of(one)));
	listen_socket_release(one);
}

TEST_EACH(a_probe_finds_those_who_share, 2)
{
	struct listen_socket *held = open_at(kinds[_i], "127.0.0.1", 0);
	struct address same = held->address;
	struct address any = at("0.0.0.0", address_port(&same));
	struct address other = at("127.0.0.2", address_port(&same));

	ck_assert_int_eq(listen_socket_probe(kinds[_i], &same, &reason), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(reason.text, "another program has it"));
	ck_assert_int_eq(listen_socket_probe(kinds[_i], &any, &reason), -1);
	ck_assert_int_eq(listen_socket_probe(kinds[_i], &other, &reason), 0);
	listen_socket_release(held);
	ck_assert_int_eq(listen_socket_probe(kinds[_i], &same, &reason), 0);
}

TEST(a_probe_finds_a_socket_that_lets_anyone_share)
{
	struct address address = at("127.0.0.1", 0);
	int fd = new_socket(&address, SOCK_DGRAM), yes = 1;

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), 0);
	ck_assert_int_eq(bind(fd, &address.sa, address.length), 0);
	ck_assert_int_eq(getsockname(fd, &address.sa, &address.length), 0);
	ck_assert_int_eq(listen_socket_probe(SOCKET_UDP, &address, &reason), -1);
	ck_assert_int_eq(errno, EADDRINUSE);
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

TEST(a_failure_names_the_step_and_what_would_help)
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
	ck_assert_ptr_nonnull(strstr(reason.text, "its directory is missing"));
}

TEST(a_port_that_is_not_ours_to_take_is_not_permitted)
{
	if (!own_network() || setuid(65534) < 0)
		skip("may not become somebody else");
	expect_not_opened(SOCKET_TCP, "127.0.0.1", 7, EACCES, "CAP_NET_BIND_SERVICE");
}

static void close_with_file(struct listen_socket *socket)
{
	listen_socket_unlink(socket);
	listen_socket_release(socket);
}

TEST_EACH(a_unix_socket_is_for_everyone_whatever_the_umask, 2)
{
	const char *path = test_path("everyone");
	struct listen_socket *socket;
	struct stat status;

	umask(0077);
	socket = open_at(kinds[2 + _i], path, 0);
	ck_assert_int_eq(stat(path, &status), 0);
	ck_assert_uint_eq(status.st_mode & 07777, 0666);
	ck_assert_uint_eq(umask(0077), 0077); /* as it was */
	close_with_file(socket);
	ck_assert_int_eq(stat(path, &status), -1);
}

TEST_EACH(a_stale_file_is_replaced, 2)
{
	const char *path = test_path("stale");

	/* Its file stays, as after a crash. */
	listen_socket_release(open_at(kinds[2 + _i], path, 0));
	ck_assert_int_eq(access(path, F_OK), 0);
	close_with_file(open_at(kinds[2 + _i], path, 0));
}

TEST_EACH(a_file_that_somebody_serves_is_left_alone, 2)
{
	const char *path = test_path("served");
	struct listen_socket *held = open_at(kinds[2 + _i], path, 0);
	struct stat before, after;

	ck_assert_int_eq(stat(path, &before), 0);
	expect_not_opened(SOCKET_UNIX, path, 0, EADDRINUSE, "another program");
	expect_not_opened(SOCKET_UNIXGRAM, path, 0, EADDRINUSE, "another program");
	ck_assert_int_eq(stat(path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	close_with_file(held);
}

TEST(a_server_with_a_full_queue_is_no_stale_one)
{
	struct listen_socket *held = open_at(SOCKET_UNIX, test_path("full"), 0);
	struct address address = held->address;
	int fd;

	ck_assert_int_eq(listen(held->fd, 0), 0);
	do {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	} while (connect(fd, &address.sa, address.length) == 0);
	ck_assert_int_eq(errno, EAGAIN);
	expect_not_opened(SOCKET_UNIX, address.un.sun_path, 0, EADDRINUSE, "another program");
	close_with_file(held);
}

TEST(what_is_no_socket_is_never_removed)
{
	const char *path = test_path("file");
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

TEST(a_file_that_is_no_longer_ours_stays)
{
	const char *path = test_path("replaced");
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

TEST_EACH(a_file_that_may_not_be_removed_is_logged, 2)
{
	const char *path = test_path("kept");
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
		expect_not_opened(SOCKET_UNIX, test_path("new"), 0, EACCES, "may not write");
	else
		expect_not_opened(SOCKET_UNIX, path, 0, EPERM, "another user left a file there");
	ck_assert_int_eq(seteuid(0), 0);
}

TEST(the_last_release_closes)
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
