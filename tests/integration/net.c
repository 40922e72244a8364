/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See net.h. */

#include "config.h"

#include "integration/net.h"

#include <sys/time.h>

#include "integration/harness.h"

struct address at(const char *host, uint16_t port)
{
	struct address address;
	struct reason reason;
	int result;

	if (*host == '/')
		result = address_from_path(&address, host, &reason);
	else
		result = address_from_ip(&address, host, port, &reason);
	ck_assert_msg(result == 0, "%s: %s", host, reason.text);
	return address;
}

uint16_t port_bound_to(int fd)
{
	struct address own = {.length = sizeof(own.un)};

	ck_assert_int_eq(getsockname(fd, &own.sa, &own.length), 0);
	return address_port(&own);
}

const char *target_of(int fd)
{
	static char target[64];

	snprintf(target, sizeof(target), "127.0.0.1:%u", port_bound_to(fd));
	return target;
}

int option_of(int fd, int level, int option)
{
	int value = -1;
	socklen_t size = sizeof(value);

	ck_assert_int_eq(getsockopt(fd, level, option, &value, &size), 0);
	return value;
}

void expect_ip(const struct in6_addr *ip, const char *text)
{
	char got[INET6_ADDRSTRLEN];

	inet_ntop(AF_INET6, ip, got, sizeof(got));
	ck_assert_str_eq(got, text);
}

int new_socket(const struct address *address, int type)
{
	int fd = socket(address->sa.sa_family, type | SOCK_CLOEXEC, 0);
	struct timeval limit = {.tv_sec = patience_ms() / 1000};

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)), 0);
	return fd;
}

int try_connect(const char *host, uint16_t port)
{
	struct address to = at(host, port);
	int fd = new_socket(&to, SOCK_STREAM);
	int error;

	if (connect(fd, &to.sa, to.length) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int connect_to(const char *host, uint16_t port)
{
	int fd = try_connect(host, port);

	ck_assert_msg(fd >= 0, "connect to %s port %d: %s", host, port, strerror(errno));
	return fd;
}

int connect_from(const char *from, const char *host, uint16_t port)
{
	struct address own = at(from, 0), to = at(host, port);
	int fd = new_socket(&to, SOCK_STREAM);

	ck_assert_int_eq(bind(fd, &own.sa, own.length), 0);
	ck_assert_msg(connect(fd, &to.sa, to.length) == 0, "connect to %s port %d: %s", host, port,
		      strerror(errno));
	return fd;
}

void send_all(int fd, const void *data, size_t size)
{
	const char *at_byte = data;
	ssize_t sent;

	for (; size > 0; at_byte += sent, size -= (size_t)sent) {
		sent = send(fd, at_byte, size, MSG_NOSIGNAL);
		ck_assert_msg(sent > 0, "send: %s", strerror(errno));
	}
}

void recv_exact(int fd, void *data, size_t size)
{
	char *at_byte = data;
	size_t left = size;
	ssize_t got;

	for (; left > 0; at_byte += got, left -= (size_t)got) {
		got = recv(fd, at_byte, left, 0);
		ck_assert_msg(got > 0, "%zu of %zu bytes came, then %s", size - left, size,
			      got == 0 ? "the end" : strerror(errno));
	}
}

void expect_end(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, 0);

	ck_assert_msg(got == 0, "in place of the end: %s",
		      got > 0 ? "another byte" : strerror(errno));
}

void expect_gone(int fd)
{
	char bytes[4096];
	ssize_t got;

	while ((got = recv(fd, bytes, sizeof(bytes), 0)) > 0)
		;
	ck_assert_msg(got == 0 || errno == ECONNRESET || errno == EPIPE, "still there: %s",
		      strerror(errno));
}

void expect_text(int fd, const char *text)
{
	char came[4096];

	ck_assert_uint_lt(strlen(text), sizeof(came));
	recv_exact(fd, came, strlen(text));
	ck_assert_mem_eq(came, text, strlen(text));
}

void expect_echo(int fd, const void *data, size_t size)
{
	char *came = malloc(size);

	ck_assert_ptr_nonnull(came);
	send_all(fd, data, size);
	recv_exact(fd, came, size);
	ck_assert_mem_eq(came, data, size);
	free(came);
}

void expect_stream(const char *host, uint16_t port)
{
	int fd = connect_to(host, port);

	expect_echo(fd, host, strlen(host));
	close(fd);
}

void expect_served(const char *host, uint16_t port)
{
	int fd = datagram_socket(host);

	expect_stream(host, port);
	expect_datagram_echo(fd, host, port, host, strlen(host));
	close(fd);
}

bool nothing_to_read(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void reset(int fd)
{
	struct linger at_once = {.l_onoff = 1};

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)), 0);
	close(fd);
}

void fill(void *data, size_t size, uint32_t seed)
{
	unsigned char *bytes = data;
	uint32_t state = seed * 2654435769U + 1;

	for (size_t i = 0; i < size; i++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		bytes[i] = (unsigned char)(state >> 24);
	}
}
