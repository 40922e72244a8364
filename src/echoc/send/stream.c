/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * send over a stream: reads, sends, receives and compares at the same time, so that no amount of
 * data can stall it; closes its half at the end of the input. Owns what is in flight.
 */

#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/units.h"
#include "echoc/command/signals.h"
#include "echoc/send/fifo.h"
#include "echoc/send/sender.h"

#define PIECE 65536u
#define UNDER_WAY_MAX (16u << 20) /* to a server that reads all and echoes nothing */

struct carrier {
	struct sender *sender;
	struct fifo under_way;
	unsigned char in[PIECE];
	unsigned char out[PIECE];
	size_t out_count; /* read, not sent yet */
	size_t out_first;
	bool closed_half; /* we send nothing more */
	bool ended;	  /* the other side sends nothing more */
	uint64_t moved;	  /* when something last went or came */
};

/* Nothing more can be sent; what is in flight may still come back. */
static void stop_sending(struct carrier *carrier, bool complete)
{
	carrier->closed_half = true;
	carrier->sender->cut_short |= !complete;
	(void)shutdown(carrier->sender->fd, SHUT_WR);
}

/* What was read before an error is sent and may come back, as at the end of input. */
static void take_input(struct carrier *carrier)
{
	ssize_t count = sender_read(carrier->sender, carrier->out, sizeof(carrier->out));

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count < 0)
		fprintf(stderr, "echoc: cannot read standard input: %s\n", strerror(errno));
	carrier->out_first = 0;
	carrier->out_count = count > 0 ? (size_t)count : 0;
	if (count <= 0)
		stop_sending(carrier, count == 0);
}

static int send_piece(struct carrier *carrier, struct reason *reason)
{
	const unsigned char *data = carrier->out + carrier->out_first;
	ssize_t sent = send(carrier->sender->fd, data, carrier->out_count, MSG_NOSIGNAL);

	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR)
			stop_sending(carrier, false);
		return 0;
	}
	if (fifo_append(&carrier->under_way, data, (size_t)sent) < 0)
		return reason_set(reason, "out of memory");
	carrier->sender->books.sent += (uint64_t)sent;
	carrier->out_first += (size_t)sent;
	carrier->out_count -= (size_t)sent;
	carrier->moved = clock_ns();
	return 0;
}

static void compare(struct carrier *carrier, const unsigned char *data, size_t length)
{
	struct sender *sender = carrier->sender;
	unsigned char expected = 0;
	size_t differing, at = 0;
	size_t taken = fifo_compare(&carrier->under_way, data, length, &differing, &at, &expected);

	if (differing > 0)
		sender_differs(sender, sender->compared + at, expected, data[at]);
	if (taken < length)
		sender_differs(sender, sender->compared + taken, -1, data[taken]);
	sender->books.corrupt += differing;
	sender->books.received += taken;
	sender->compared += taken;
	sender->extra += length - taken;
}

static int receive_piece(struct carrier *carrier, struct reason *reason)
{
	ssize_t length = recv(carrier->sender->fd, carrier->in, sizeof(carrier->in), 0);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (length < 0)
		return reason_set(reason, "connection lost: %s", strerror(errno));
	carrier->ended = length == 0;
	carrier->moved = clock_ns();
	if (sender_print(carrier->sender, carrier->in, (size_t)length) < 0)
		return reason_set(reason, "cannot write to standard output: %s", strerror(errno));
	compare(carrier, carrier->in, (size_t)length);
	return 0;
}

/* Milliseconds to wait: without limit while the user types, else what is left of -w. */
static int time_left(const struct carrier *carrier)
{
	uint64_t wait = carrier->sender->arguments->timeout_ms * NS_PER_MS;
	uint64_t gone = clock_ns() - carrier->moved;

	if (carrier->under_way.count == 0 && carrier->out_count == 0 && !carrier->closed_half)
		return -1;
	return gone < wait ? (int)((wait - gone) / NS_PER_MS) + 1 : 0;
}

static bool wants_input(const struct carrier *carrier)
{
	return carrier->out_count == 0 && !carrier->closed_half &&
	       carrier->under_way.count + PIECE <= UNDER_WAY_MAX;
}

/* 1: go on; 0: nothing moved for too long. */
static int turn(struct carrier *carrier, struct reason *reason)
{
	struct sender *sender = carrier->sender;
	bool has_text = sender->text != NULL;
	uint64_t moved = carrier->moved;
	struct pollfd ready[3] = {
		{.fd = sender->fd, .events = POLLIN},
		{.fd = wants_input(carrier) && !has_text ? STDIN_FILENO : -1, .events = POLLIN},
		signals_poll(),
	};
	int count, left;

	if (wants_input(carrier) && has_text)
		take_input(carrier);
	if (carrier->out_count > 0 && !carrier->closed_half)
		ready[0].events |= POLLOUT;
	left = time_left(carrier);
	count = poll(ready, 3, left);
	if (count == 0)
		return 0;
	if (count < 0)
		return errno == EINTR ? 1 : reason_set(reason, "poll: %s", strerror(errno));
	if (ready[1].revents != 0)
		take_input(carrier);
	if ((ready[0].revents & POLLOUT) && send_piece(carrier, reason) < 0)
		return -1;
	if ((ready[0].revents & (POLLIN | POLLHUP | POLLERR)) && receive_piece(carrier, reason) < 0)
		return -1;
	/* What is ready but is never received does not count. */
	return left != 0 || ready[1].revents != 0 || carrier->moved != moved;
}

static int carry(struct carrier *carrier, struct reason *reason)
{
	int result = 1;

	while (result > 0 && !carrier->ended && signals_caught() == 0)
		result = turn(carrier, reason);
	carrier->sender->timed_out = result == 0;
	if (result == 0 && carrier->under_way.count == 0 && carrier->closed_half)
		return 0; /* all came back; the other side need not close */
	if (!carrier->closed_half || carrier->out_count > 0)
		carrier->sender->cut_short = true;
	return result < 0 ? -1 : 0;
}

int send_stream(struct sender *sender, struct reason *reason)
{
	struct carrier *carrier = calloc(1, sizeof(*carrier));
	int result;

	if (!carrier)
		return reason_set(reason, "out of memory");
	carrier->sender = sender;
	carrier->moved = clock_ns();
	result = carry(carrier, reason);
	sender->books.lost = sender->books.sent - sender->books.received;
	fifo_clear(&carrier->under_way);
	free(carrier);
	return result;
}
