/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A TCP connection of a bench: one recv into the lane's buffer, the check, one send of all that may
 * go. When the other side closes, what waits is lost and it connects again.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "echoc/bench/channel.h"
#include "probe/target.h"

#define IN_SIZE (128u << 10) /* what was received is checked while it is in the cache */
#define OUT_SIZE (64u << 10)

static int tcp_prepare(struct lane *lane, size_t size UNUSED)
{
	lane->in_size = IN_SIZE;
	lane->out_size = OUT_SIZE;
	lane->in = malloc(lane->in_size);
	lane->out = malloc(lane->out_size);
	return lane->in && lane->out ? 0 : -1;
}

/* At once when the connection had been of use, else at the next tick: no storm of connects. */
static void break_off(struct channel *channel)
{
	bool again = channel->heard && channel->lane->sending;

	channel->flow.books->unexpected += stream_unexpected(&channel->stream) > 0;
	channel_close(channel);
	channel_lose_all(channel, clock_ns());
	stream_start(&channel->stream, &channel->flow); /* what was unexpected is counted */
	if (again)
		channel_connect(channel, clock_ns());
}

static void tcp_fill(struct channel *channel, uint64_t now)
{
	struct lane *lane = channel->lane;
	uint64_t most = lane->out_size / channel->flow.size + 1;

	do {
		writer_flush(&channel->writer, &channel->flow, channel->fd, lane->out,
			     lane->out_size);
		if (writer_pending(&channel->writer, &channel->flow)) {
			event_add(&channel->writable, NULL);
			return;
		}
	} while (channel_take(channel, now, most) > 0);
}

struct arrival {
	struct channel *channel;
	uint64_t now;
};

static void on_message(void *context, uint64_t sequence, const struct finding *finding,
		       size_t bytes)
{
	const struct arrival *arrival = context;
	uint64_t rtt;

	(void)flow_reply(&arrival->channel->flow, sequence, finding, bytes, arrival->now, &rtt);
}

static void on_readable(evutil_socket_t fd, short what UNUSED, void *context)
{
	struct channel *channel = context;
	struct lane *lane = channel->lane;
	ssize_t length = recv(fd, lane->in, lane->in_size, 0);
	struct arrival arrival = {channel, clock_ns()};

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (length <= 0) {
		break_off(channel);
		return;
	}
	channel->heard = true;
	lane->last_heard = arrival.now;
	stream_feed(&channel->stream, lane->in, (size_t)length, on_message, &arrival);
	tcp_fill(channel, arrival.now);
}

static void on_writable(evutil_socket_t fd, short what UNUSED, void *context)
{
	struct channel *channel = context;

	if (channel->connecting) {
		if (target_result(fd) != 0) {
			break_off(channel);
			return;
		}
		channel->connecting = false;
		channel->flow.books->reconnects++;
	}
	tcp_fill(channel, clock_ns());
}

static int tcp_open(struct channel *channel)
{
	if (channel_watch(channel, on_readable, on_writable) < 0)
		return -1;
	return channel->connecting ? event_add(&channel->writable, NULL) : 0;
}

const struct channel_kind channel_tcp = {tcp_prepare, tcp_open, tcp_fill};
