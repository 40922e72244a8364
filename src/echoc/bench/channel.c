/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What both kinds of channels have in common: pace, life and end. Owns the flow and the socket.
 */

#include "config.h"

#include "echoc/bench/channel.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "probe/socket_drops.h"
#include "probe/target.h"

/* UDP: a message without a reply by then is lost. Over TCP only the end of the run decides. */
#define DATAGRAM_TIMEOUT NS_PER_S
#define OVERTAKEN_AFTER 1000 /* and four times the depth: so many were sent after it */

int channel_init(struct channel *channel, struct lane *lane, int fd, uint64_t run, size_t size,
		 size_t window)
{
	memset(channel, 0, sizeof(*channel));
	channel->lane = lane;
	channel->fd = fd;
	channel->kind = lane->target->datagram ? &channel_udp : &channel_tcp;
	if (flow_init(&channel->flow, run, size, window, &lane->books) < 0)
		return -1;
	/* Most likely lost by then, it must not stop the others until that is certain. */
	flow_limit_lag(&channel->flow, OVERTAKEN_AFTER + 4 * lane->depth);
	return channel->kind->open(channel);
}

int channel_watch(struct channel *channel, event_callback_fn readable, event_callback_fn writable)
{
	struct event_base *base = channel->lane->base;

	channel->heard = false;
	stream_start(&channel->stream, &channel->flow);
	writer_start(&channel->writer, &channel->flow);
	if (event_assign(&channel->readable, base, channel->fd, EV_READ | EV_PERSIST, readable,
			 channel) < 0 ||
	    event_assign(&channel->writable, base, channel->fd, EV_WRITE, writable, channel) < 0)
		return -1;
	return event_add(&channel->readable, NULL);
}

void channel_close(struct channel *channel)
{
	if (event_initialized(&channel->readable))
		event_del(&channel->readable);
	if (event_initialized(&channel->writable))
		event_del(&channel->writable);
	if (channel->fd >= 0)
		close(channel->fd);
	channel->fd = -1;
	channel->drops = 0;
	channel->connecting = false;
}

void channel_clear(struct channel *channel)
{
	channel_close(channel);
	flow_clear(&channel->flow);
}

void channel_connect(struct channel *channel, uint64_t now)
{
	channel->fd = target_begin(channel->lane->target);
	channel->connecting = channel->fd >= 0;
	channel->begun = now;
	if (channel->fd >= 0 && channel->kind->open(channel) < 0)
		channel_close(channel);
}

static uint64_t allowance(const struct channel *channel, uint64_t now)
{
	const struct flow *flow = &channel->flow;
	uint64_t due;

	if (!channel->lane->scheduled) {
		uint64_t outstanding = flow_outstanding(flow);

		return outstanding < channel->lane->depth ? channel->lane->depth - outstanding : 0;
	}
	due = schedule_count(&channel->schedule, now) - channel->allotted;
	return due < flow_room(flow) ? due : flow_room(flow);
}

uint64_t channel_take(struct channel *channel, uint64_t now, uint64_t most)
{
	uint64_t count;

	if (!channel->lane->sending)
		return 0;
	count = allowance(channel, now);
	if (count > most)
		count = most;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t time = now;

		if (channel->lane->scheduled)
			time = schedule_due(&channel->schedule, channel->allotted++);
		(void)flow_send(&channel->flow, time);
	}
	return count;
}

/* It may have ended before a tick has seen it. */
void channel_set_timeout(struct channel *channel, uint64_t now)
{
	const struct lane *lane = channel->lane;
	bool stopped = now - lane->ticked >= LANE_STOP_LEAST ||
		       (lane->resumed != 0 && now - lane->resumed < DATAGRAM_TIMEOUT);

	if (lane->target->datagram)
		channel->flow.timeout = stopped ? UINT64_MAX : DATAGRAM_TIMEOUT;
}

void channel_fill(struct channel *channel, uint64_t now)
{
	if (channel->fd >= 0 && !channel->connecting)
		channel->kind->fill(channel, now);
}

/* The kernel would go on for minutes, ever more slowly; and after the end nothing is sent. */
static bool is_in_vain(const struct channel *channel, uint64_t now)
{
	const struct lane *lane = channel->lane;

	if (!channel->connecting)
		return false;
	return !lane->sending ||
	       (now - channel->begun >= lane->patience && now - lane->resumed >= lane->patience);
}

void channel_tick(struct channel *channel, uint64_t now)
{
	channel_set_timeout(channel, now);
	flow_expire(&channel->flow, now);
	if (is_in_vain(channel, now))
		channel_close(channel);
	if (channel->fd < 0 && channel->lane->sending)
		channel_connect(channel, now);
	channel_fill(channel, now);
}

void channel_lose_all(struct channel *channel, uint64_t now)
{
	uint64_t sequence = channel->stream.sequence;
	struct finding finding;
	size_t bytes = stream_partial(&channel->stream, sequence, &finding);
	uint64_t rtt;

	if (bytes > 0 && flow_awaits(&channel->flow, sequence))
		(void)flow_reply(&channel->flow, sequence, &finding, bytes, now, &rtt);
	flow_lose_all(&channel->flow);
}

void channel_count_drops(struct channel *channel)
{
	uint32_t drops;

	if (!channel->lane->target->datagram)
		return;
	drops = socket_drops(channel->fd);
	channel->flow.books->own_drops += (uint32_t)(drops - channel->drops);
	channel->drops = drops;
}

void channel_close_books(struct channel *channel)
{
	channel->handed_in = flow_oldest(&channel->flow);
}

/* What was due and is not sent is lost if nobody is there; else too much was outstanding. */
void channel_end_schedule(struct channel *channel, uint64_t end)
{
	struct books *books = channel->flow.books;
	uint64_t left;

	channel->schedule.end = end;
	left = schedule_count(&channel->schedule, end) - channel->allotted;
	if (channel->fd >= 0 && !channel->connecting) {
		books->unsent += left;
		return;
	}
	books->sent += left;
	books->lost += left;
}

void channel_finish(struct channel *channel)
{
	struct flow *flow = &channel->flow;

	flow_lose_all(flow); /* a reply that had begun was not cut: we look away */
	flow->books->unexpected += stream_unexpected(&channel->stream) > 0;
	books_add_jitter(flow->books, &flow->jitter);
}
