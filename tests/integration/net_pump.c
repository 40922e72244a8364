/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The part of net.h that sends and receives at the same time. */

#include "config.h"

#include <poll.h>

#include "integration/harness.h"
#include "integration/net.h"

#define READ_AT_ONCE (64 * 1024)

struct pumping {
	int out;
	int in;
	const char *data;
	size_t size;
	size_t piece;
	size_t sent;
	size_t came;
	bool ended;
};

static void set_nonblocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	ck_assert_int_eq(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 0);
}

static void end_output(struct pumping *pumping)
{
	if (pumping->out == pumping->in)
		ck_assert_int_eq(shutdown(pumping->out, SHUT_WR), 0);
	else
		close(pumping->out);
	pumping->out = -1;
}

static void write_some(struct pumping *pumping)
{
	size_t size = pumping->size - pumping->sent;
	ssize_t n;

	if (size > pumping->piece)
		size = pumping->piece;
	n = write(pumping->out, pumping->data + pumping->sent, size);
	ck_assert_msg(n >= 0 || errno == EAGAIN, "write: %s", strerror(errno));
	pumping->sent += n > 0 ? (size_t)n : 0;
	if (pumping->sent == pumping->size)
		end_output(pumping);
}

static void read_some(struct pumping *pumping)
{
	char bytes[READ_AT_ONCE];
	ssize_t n = read(pumping->in, bytes, sizeof(bytes));

	ck_assert_msg(n >= 0 || errno == EAGAIN, "read: %s", strerror(errno));
	if (n < 0)
		return;
	pumping->ended = n == 0;
	ck_assert_msg((size_t)n <= pumping->sent - pumping->came, "more came than was sent");
	ck_assert_mem_eq(bytes, pumping->data + pumping->came, (size_t)n);
	pumping->came += (size_t)n;
}

void pump(int out, int in, const void *data, size_t size, size_t piece)
{
	struct pumping pumping = {.out = out, .in = in, .data = data, .size = size, .piece = piece};
	struct pollfd polled[2] = {{.fd = in, .events = POLLIN}, {.events = POLLOUT}};

	set_nonblocking(in);
	set_nonblocking(out);
	while (!pumping.ended) {
		polled[1].fd = pumping.out;
		ck_assert_msg(poll(polled, 2, patience_ms()) > 0,
			      "nothing more: %zu sent, %zu of it back", pumping.sent, pumping.came);
		if (polled[1].revents != 0)
			write_some(&pumping);
		if (polled[0].revents != 0)
			read_some(&pumping);
	}
	ck_assert_msg(pumping.came == size, "the end after %zu of %zu bytes", pumping.came, size);
}
