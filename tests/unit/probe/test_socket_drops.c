/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Drops of our own socket: exactly what was sent to it and could not be read from it. */

#include "config.h"

#include <poll.h>

#include "probe/socket_drops.h"
#include "support/test.h"

#define SENT 300u /* fewer than a CPU's backlog holds, which drops unseen */
#define SIZE 1000

/* Connected to itself; its buffer is as small as the kernel allows. */
static int own_socket(void)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(own);
	const int smallest = 1;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &smallest, sizeof(smallest)), 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&own, length), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &length), 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)&own, length), 0);
	return fd;
}

static void await(int fd)
{
	(void)poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, 1);
}

TEST(what_did_not_fit_is_counted)
{
	const char data[SIZE] = {0};
	char got[SIZE];
	int fd = own_socket();
	unsigned received = 0;

	ck_assert_uint_eq(socket_drops(fd), 0);
	for (unsigned i = 0; i < SENT; i++) {
		while (send(fd, data, SIZE, 0) < 0) /* the send buffer may be full for a while */
			(void)poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, 1);
	}
	while (socket_drops(fd) == 0)
		(void)poll(NULL, 0, 1);
	while (received + socket_drops(fd) < SENT) {
		if (recv(fd, got, SIZE, 0) == SIZE)
			received++;
		else
			await(fd);
	}
	ck_assert_uint_eq(received + socket_drops(fd), SENT);
	ck_assert_uint_gt(received, 0);
	close(fd);
}

TEST(what_is_no_socket_drops_nothing)
{
	ck_assert_uint_eq(socket_drops(-1), 0);
}
