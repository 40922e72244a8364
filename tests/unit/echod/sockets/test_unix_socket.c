/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Opening a UNIX socket where a stale file lies: from the look at it until ours is served, no other
 * echod may do the same.
 */

#include "config.h"

#include "echod/sockets/unix_socket.h"

#include <sys/file.h>

#include "echod/sockets/listen_socket.h"
#include "integration/harness.h"
#include "integration/net.h"

static struct reason reason;
static bool watching;
static unsigned calls;
static unsigned calls_under_lock;

/* Another process that wants the lock now would not get it. */
static bool directory_is_locked(void)
{
	int fd = open(test_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool locked;

	ck_assert_int_ge(fd, 0);
	locked = flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
	close(fd);
	return locked;
}

static void note_call(void)
{
	if (!watching)
		return;
	calls++;
	calls_under_lock += directory_is_locked();
}

/* The program is linked so that these come before the C library's. */
int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
	note_call();
	return __real_connect(fd, address, length);
}

int __real_bind(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_bind(int fd, const struct sockaddr *address, socklen_t length)
{
	note_call();
	return __real_bind(fd, address, length);
}

int __real_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog);
int __wrap_listen(int fd, int backlog)
{
	note_call();
	return __real_listen(fd, backlog);
}

static struct listen_socket *open_watched(const struct address *address)
{
	struct listen_socket *socket;

	calls = calls_under_lock = 0;
	watching = true;
	socket = listen_socket_open(SOCKET_UNIX, address, &reason);
	watching = false;
	return socket;
}

TEST(the_directory_is_locked_from_the_probe_until_it_listens)
{
	struct address address = at(test_path("stale"), 0);
	struct listen_socket *socket = open_watched(&address);

	ck_assert_ptr_nonnull(socket);
	listen_socket_release(socket); /* its file stays, as after a crash */
	socket = open_watched(&address);
	ck_assert_ptr_nonnull(socket);
	ck_assert_uint_eq(calls, 3);
	ck_assert_uint_eq(calls_under_lock, 3);
	ck_assert(!directory_is_locked());
	listen_socket_unlink(socket);
	listen_socket_release(socket);
}

TEST(a_failure_gives_the_lock_back)
{
	struct address address = at(test_path("served"), 0);
	struct listen_socket *socket = open_watched(&address);

	ck_assert_ptr_nonnull(socket);
	ck_assert_ptr_null(open_watched(&address));
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert_uint_eq(calls_under_lock, 1);
	ck_assert(!directory_is_locked());
	listen_socket_unlink(socket);
	listen_socket_release(socket);
}

TEST(a_lock_held_for_ever_stops_no_one)
{
	int fd = open(test_directory(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct address address = at(test_path("hindered"), 0);
	struct listen_socket *socket;

	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	socket = open_watched(&address);
	ck_assert_msg(socket != NULL, "%s", reason.text);
	close(fd);
	listen_socket_unlink(socket);
	listen_socket_release(socket);
}

TEST(a_directory_that_is_missing_has_no_lock)
{
	struct address address = at("/nowhere/at/all", 0);

	ck_assert_int_eq(unix_socket_lock(&address), -1);
	ck_assert_int_eq(errno, ENOENT);
}
