/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A connection for each message: connect, echo, close, and again. A message counts as sent when its
 * connect begins; its round trip counts from when it is connected, or due.
 */

#include "config.h"

#include <stdlib.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "echoc/bench/channel.h"

#define READ_EACH 64
#define RETRANSMISSION (150 * NS_PER_MS) /* a single segment is sent again after 200 ms or more */

static int connect_prepare(struct lane *lane, size_t size)
{
	lane->connects = calloc(1, sizeof(*lane->connects));
	return lane->connects ? channel_tcp.prepare(lane, size) : -1;
}

static bool is_busy(const struct channel *channel)
{
	return flow_waiting(&channel->flow) > 0 || link_is_connecting(&channel->link);
}

static void connect_fill(struct channel *channel, uint64_t now)
{
	struct lane *lane = channel->lane;

	if (channel->link.fd >= 0) {
		(void)link_flush(&channel->link, lane->out, lane->out_size);
		return;
	}
	if (is_busy(channel) || channel->held || channel_take(channel, now, 1) == 0)
		return;
	channel->link.was_open = false; /* the next one is no reconnect */
	link_connect(&channel->link, now);
}

/* With a reset nothing of it stays, neither here nor on the way. */
static void end(struct channel *channel, bool in_order)
{
	const struct linger at_once = {.l_onoff = 1};

	if (!in_order)
		(void)setsockopt(channel->link.fd, SOL_SOCKET, SO_LINGER, &at_once,
				 sizeof(at_once));
	stream_count_unexpected(&channel->link.stream);
	link_close(&channel->link);
}

/* Its figures take a system call, which the others do without. */
static bool is_worth_reading(const struct channel *channel)
{
	struct lane *lane = channel->lane;

	return lane->answered++ % READ_EACH == 0 ||
	       lane->now - channel->link.tried >= RETRANSMISSION;
}

static void end_answered(struct channel *channel)
{
	struct lane *lane = channel->lane;

	channel->link.unread = !is_worth_reading(channel);
	end(channel, lane->in_order > 0);
	channel->link.unread = false;
	if (lane->in_order > 0)
		lane->in_order--;
}

static void on_connected(void *context)
{
	struct channel *channel = context;
	struct lane *lane = channel->lane;
	uint64_t now = clock_ns();

	latency_add(lane->connects, now - channel->link.tried, 1);
	if (!lane->scheduled)
		flow_restamp(&channel->flow, flow_oldest_waiting(&channel->flow), now);
	connect_fill(channel, now);
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct channel *channel = context;

	if (!channel_tcp_read(channel) || flow_waiting(&channel->flow) > 0)
		return;
	end_answered(channel);
	connect_fill(channel, channel->lane->now);
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	connect_fill(context, clock_ns());
}

static void on_note(void *context, const char *what UNUSED, int error)
{
	struct channel *channel = context;

	if (error == 0)
		return;
	channel->held = true; /* no storm of connects that fail at once */
	channel->lane->connect_error = error;
}

/* What was given up has no use for its connection. */
static void connect_tick(struct channel *channel, uint64_t now UNUSED)
{
	channel->held = false;
	if (flow_waiting(&channel->flow) > 0)
		return;
	link_stop_connecting(&channel->link);
	if (channel->link.fd >= 0)
		end(channel, false);
}

const struct channel_kind channel_connect = {
	.user = {.readable = on_readable,
		 .writable = on_writable,
		 .reconnected = on_connected,
		 .reply = channel_tcp_reply,
		 .lost = channel_tcp_lost,
		 .note = on_note},
	.prepare = connect_prepare,
	.fill = connect_fill,
	.tick = connect_tick,
	.connects = true,
};
