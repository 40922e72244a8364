/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * send over datagrams: one at a time, each waits for its reply. TEXT is one datagram whatever its
 * size; standard input goes in lines from a terminal, else in pieces that fit any path.
 */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "sender.h"

#define PIECE 1400u
#define LARGEST 65536u

struct exchange {
	struct sender *sender;
	unsigned char out[LARGEST];
	unsigned char in[LARGEST];
};

/* What is left from before is no reply to what is sent next. */
static void forget_late(struct exchange *exchange)
{
	int fd = exchange->sender->fd;

	while (recv(fd, exchange->in, sizeof(exchange->in), MSG_DONTWAIT) >= 0)
		exchange->sender->books.late = exchange->sender->books.lost > 0;
}

static void compare(struct exchange *exchange, size_t sent, size_t got)
{
	struct sender *sender = exchange->sender;
	size_t common = sent < got ? sent : got;
	uint64_t differing = 0;

	for (size_t i = 0; i < common; i++) {
		if (exchange->out[i] == exchange->in[i])
			continue;
		differing++;
		sender_differs(sender, sender->compared + i, exchange->out[i], exchange->in[i]);
	}
	if (got > sent)
		sender_differs(sender, sender->compared + sent, -1, exchange->in[sent]);
	sender->books.received += common;
	sender->books.corrupt += differing;
	sender->books.lost += sent - common;
	sender->compared += sent;
	sender->extra += got - common;
}

static int await_reply(const struct exchange *exchange)
{
	uint64_t deadline = clock_now() + exchange->sender->arguments->timeout_ms * NS_PER_MS;
	struct pollfd ready = {.fd = exchange->sender->fd, .events = POLLIN};

	for (;;) {
		uint64_t now = clock_now();
		int left = now < deadline ? (int)((deadline - now) / NS_PER_MS) + 1 : 0;
		int count = poll(&ready, 1, left);

		if (count >= 0 || errno != EINTR)
			return count;
	}
}

static int send_all(const struct exchange *exchange, size_t length)
{
	struct pollfd ready = {.fd = exchange->sender->fd, .events = POLLOUT};

	while (send(ready.fd, exchange->out, length, MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -1;
		(void)poll(&ready, 1, 100);
	}
	return 0;
}

static int exchange_one(struct exchange *exchange, size_t length, struct reason *reason)
{
	struct sender *sender = exchange->sender;
	ssize_t got;

	forget_late(exchange);
	sender->books.sent += length;
	if (send_all(exchange, length) < 0) {
		sender->books.lost += length;
		sender->cut_short = true;
		return reason_set(reason, "cannot send: %s", strerror(errno));
	}
	if (await_reply(exchange) <= 0) {
		sender->books.lost += length;
		sender->compared += length;
		sender->cut_short |= length == 0; /* an empty one was lost: no byte tells */
		return 0;
	}
	got = recv(sender->fd, exchange->in, sizeof(exchange->in), 0);
	if (got < 0) {
		sender->books.lost += length;
		return reason_set(reason, "no reply: %s%s", strerror(errno),
				  errno == ECONNREFUSED ? ": nothing listens there" : "");
	}
	if (sender_print(sender, exchange->in, (size_t)got) < 0)
		return reason_set(reason, "cannot write to standard output: %s", strerror(errno));
	compare(exchange, length, (size_t)got);
	return 0;
}

static int exchange_all(struct exchange *exchange, struct reason *reason)
{
	struct sender *sender = exchange->sender;
	ssize_t count;

	if (sender->text && sender->text_length > LARGEST)
		return reason_set(reason, "the text is too long for one datagram");
	if (sender->text) {
		count = sender_read(sender, exchange->out, LARGEST);
		return exchange_one(exchange, (size_t)count, reason);
	}
	while ((count = sender_read(sender, exchange->out, PIECE)) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return reason_set(reason, "cannot read standard input: %s",
					  strerror(errno));
		if (exchange_one(exchange, (size_t)count, reason) < 0)
			return -1;
	}
	return 0;
}

int send_datagrams(struct sender *sender, struct reason *reason)
{
	struct exchange *exchange = malloc(sizeof(*exchange));
	int result;

	if (!exchange)
		return reason_set(reason, "out of memory");
	exchange->sender = sender;
	result = exchange_all(exchange, reason);
	free(exchange);
	return result;
}
