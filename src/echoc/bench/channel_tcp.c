/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A TCP connection of a bench: one recv into the lane's buffer, the check, one send of all that may
 * go.
 */

#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "echoc/bench/channel.h"

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

static void tcp_fill(struct channel *channel, uint64_t now)
{
	struct lane *lane = channel->lane;
	uint64_t most = lane->out_size / channel->flow.size + 1;

	do {
		if (!link_flush(&channel->link, lane->out, lane->out_size))
			return;
	} while (channel_take(channel, now, most) > 0);
}

void channel_tcp_reply(void *context, uint64_t sequence, const struct finding *finding,
		       size_t bytes)
{
	struct channel *channel = context;
	uint64_t rtt;

	(void)flow_reply(&channel->flow, sequence, finding, bytes, channel->lane->now, &rtt);
}

void channel_tcp_lost(void *context, uint64_t sequence, const char *why UNUSED)
{
	struct channel *channel = context;

	flow_lose(&channel->flow, sequence);
}

bool channel_tcp_read(struct channel *channel)
{
	struct lane *lane = channel->lane;
	ssize_t length = recv(channel->link.fd, lane->in, lane->in_size, 0);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	lane->now = clock_ns();
	if (length <= 0) {
		channel->held = true;
		link_lost(&channel->link, length < 0 ? errno : 0, lane->now);
		return false;
	}
	lane->last_heard = lane->now;
	link_feed(&channel->link, lane->in, (size_t)length);
	return true;
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct channel *channel = context;

	if (channel_tcp_read(channel))
		tcp_fill(channel, channel->lane->now);
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	tcp_fill(context, clock_ns());
}

static void on_reconnected(void *context)
{
	tcp_fill(context, clock_ns());
}

const struct channel_kind channel_tcp = {
	.user = {.readable = on_readable,
		 .writable = on_writable,
		 .reconnected = on_reconnected,
		 .reply = channel_tcp_reply,
		 .lost = channel_tcp_lost},
	.prepare = tcp_prepare,
	.fill = tcp_fill,
	.tick = channel_keep_connected,
};
