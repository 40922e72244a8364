/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * send over datagrams: one at a time, each waits for its reply. TEXT is one datagram whatever its
 * size; standard input goes in lines from a terminal, else in pieces that fit any path. Remembers
 * the latest ones, so that a reply that comes late or twice is not taken for an altered one.
 */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "echoc/command/signals.h"
#include "echoc/send/sender.h"

#define PIECE 1400u
#define LARGEST 65536u
#define EARLIER_MAX 64u
#define QUEUED_MAX 256u /* read before a send: a flood must not prevent it */

/* A datagram that was sent before the present one. */
struct earlier {
	uint64_t hash;
	size_t length;
	bool answered; /* else given up */
};

struct exchange {
	struct sender *sender;
	struct earlier earlier[EARLIER_MAX]; /* a ring */
	size_t count;			     /* entered in it so far */
	unsigned char out[LARGEST];
	unsigned char in[LARGEST];
};

/* FNV-1a: a forged match would only make an altered reply a late one. */
static uint64_t hash_of(const unsigned char *data, size_t length)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static void remember(struct exchange *exchange, size_t length, bool answered)
{
	exchange->earlier[exchange->count++ % EARLIER_MAX] =
		(struct earlier){hash_of(exchange->out, length), length, answered};
}

/* The datagram that was replied to; of several alike the oldest given up. NULL: none. */
static struct earlier *find_earlier(struct exchange *exchange, size_t length)
{
	size_t oldest = exchange->count > EARLIER_MAX ? exchange->count - EARLIER_MAX : 0;
	uint64_t hash = hash_of(exchange->in, length);
	struct earlier *found = NULL;

	for (size_t i = oldest; i < exchange->count; i++) {
		struct earlier *earlier = &exchange->earlier[i % EARLIER_MAX];

		if (earlier->hash != hash || earlier->length != length)
			continue;
		found = earlier;
		if (!earlier->answered)
			break;
	}
	return found;
}

/* True when what came is the reply to an earlier datagram, and now in the books as that. */
static bool settle_earlier(struct exchange *exchange, size_t length)
{
	struct books *books = &exchange->sender->books;
	struct earlier *earlier = find_earlier(exchange, length);

	if (!earlier)
		return false;
	if (earlier->answered)
		books->duplicates += length;
	else
		books->late += length;
	earlier->answered = true;
	return true;
}

/* What arrived before a datagram is sent is not its reply, whatever it holds. */
static void settle_queued(struct exchange *exchange)
{
	for (unsigned i = 0; i < QUEUED_MAX; i++) {
		ssize_t got = recv(exchange->sender->fd, exchange->in, sizeof(exchange->in), 0);

		if (got < 0)
			return;
		if (!settle_earlier(exchange, (size_t)got))
			exchange->sender->extra += (uint64_t)got;
	}
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

static uint64_t deadline_of(const struct exchange *exchange)
{
	return clock_ns() + exchange->sender->arguments->timeout_ms * NS_PER_MS;
}

static bool is_as_sent(const struct exchange *exchange, size_t sent, size_t got)
{
	return got == sent && memcmp(exchange->in, exchange->out, sent) == 0;
}

/* 1 when the reply is there, 0 when none came in time or before a signal, -1 for an error. */
static int await_reply(struct exchange *exchange, size_t sent, size_t *length)
{
	uint64_t deadline = deadline_of(exchange);
	int fd = exchange->sender->fd;

	do {
		int count = signals_wait(fd, POLLIN, deadline);
		ssize_t got;

		if (count <= 0)
			return count;
		got = recv(fd, exchange->in, sizeof(exchange->in), 0);
		if (got < 0 && (errno == EAGAIN || errno == EINTR))
			continue; /* its checksum was wrong, and the kernel dropped it */
		if (got < 0)
			return -1;
		*length = (size_t)got;
		if (is_as_sent(exchange, sent, *length) || !settle_earlier(exchange, *length))
			return 1;
	} while (clock_ns() < deadline && signals_caught() == 0);
	return 0;
}

/* Likewise: 0 when there was no room for it all the time. */
static int send_whole(const struct exchange *exchange, size_t length)
{
	uint64_t deadline = deadline_of(exchange);
	int fd = exchange->sender->fd;

	while (send(fd, exchange->out, length, MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EINTR)
			return -1;
		if (clock_ns() >= deadline || signals_caught() > 0)
			return 0;
		(void)signals_wait(fd, POLLOUT, deadline);
	}
	return 1;
}

static int send_one(struct exchange *exchange, size_t length, struct reason *reason)
{
	struct sender *sender = exchange->sender;
	int result;

	settle_queued(exchange);
	sender->books.sent += length;
	result = send_whole(exchange, length);
	if (result > 0)
		return 0;
	sender->books.lost += length;
	sender->cut_short = true;
	sender->timed_out |= result == 0;
	return reason_set(reason, "cannot send: %s",
			  result == 0 ? "the queue stays full" : strerror(errno));
}

static int exchange_one(struct exchange *exchange, size_t length, struct reason *reason)
{
	struct sender *sender = exchange->sender;
	size_t got = 0;
	int result;

	if (send_one(exchange, length, reason) < 0)
		return -1;
	result = await_reply(exchange, length, &got);
	if (result < 0) {
		sender->books.lost += length;
		return reason_set(reason, "no reply: %s%s", strerror(errno),
				  errno == ECONNREFUSED ? ": nothing listens there" : "");
	}
	remember(exchange, length, result > 0);
	if (result == 0) {
		sender->books.lost += length;
		sender->compared += length;
		sender->timed_out = signals_caught() == 0;
		sender->cut_short |= length == 0; /* an empty one was lost: no byte shows it */
		return 0;
	}
	if (sender_print(sender, exchange->in, got) < 0)
		return reason_set(reason, "cannot write to standard output: %s", strerror(errno));
	compare(exchange, length, got);
	return 0;
}

/* As read(2): 0 at the end of the input, and after a signal. */
static ssize_t next_piece(struct sender *sender, unsigned char *buffer)
{
	ssize_t count;

	do {
		(void)signals_wait(STDIN_FILENO, POLLIN, UINT64_MAX);
		if (signals_caught() > 0) {
			sender->cut_short = true;
			return 0;
		}
		count = sender_read(sender, buffer, PIECE);
	} while (count < 0 && (errno == EINTR || errno == EAGAIN));
	return count;
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
	while ((count = next_piece(sender, exchange->out)) != 0) {
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
	struct exchange *exchange = calloc(1, sizeof(*exchange));
	int result;

	if (!exchange)
		return reason_set(reason, "out of memory");
	exchange->sender = sender;
	result = exchange_all(exchange, reason);
	free(exchange);
	return result;
}
