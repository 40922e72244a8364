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

#define OVERTAKEN_AFTER 1000 /* and four times the depth: this many were sent after it */

int channel_init(struct channel *channel, struct lane *lane, int fd, uint64_t run, size_t size,
		 size_t window)
{
	memset(channel, 0, sizeof(*channel));
	channel->lane = lane;
	channel->link = (struct link){.user = &lane->kind->user,
				      .context = channel,
				      .base = lane->base,
				      .target = lane->target,
				      .flow = &channel->flow,
				      .max_attempts = 1,
				      .patience = lane->patience};
	if (link_init(&channel->link) < 0 ||
	    flow_init(&channel->flow, run, size, window, &lane->books) < 0) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	/* By then it is most likely lost, and must not hold up the others until that is certain. */
	flow_limit_lag(&channel->flow, OVERTAKEN_AFTER + 4 * lane->depth);
	if (fd < 0)
		return 0;
	if (lane->kind->prepare_socket)
		lane->kind->prepare_socket(lane, fd);
	return link_open(&channel->link, fd);
}

void channel_clear(struct channel *channel)
{
	link_clear(&channel->link);
	flow_clear(&channel->flow);
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

/*
 * On a connection that stays, only the end of the run decides. A stop may have ended before a tick
 * has seen it.
 */
void channel_set_timeout(struct channel *channel, uint64_t now)
{
	const struct lane *lane = channel->lane;
	bool stopped = now - lane->ticked >= LANE_STOP_LEAST ||
		       (lane->resumed != 0 && now - lane->resumed < lane->timeout);

	if (lane->target->datagram || lane->kind->connects)
		channel->flow.timeout = stopped ? UINT64_MAX : lane->timeout;
}

void channel_fill(struct channel *channel, uint64_t now)
{
	if (channel->link.fd >= 0 || channel->lane->kind->connects)
		channel->lane->kind->fill(channel, now);
}

/* After a stop of ours an attempt to connect has all of its time again. */
static void connect_again(struct channel *channel, uint64_t now)
{
	const struct lane *lane = channel->lane;

	if (!lane->sending)
		link_stop_connecting(&channel->link);
	else if (now - lane->resumed >= lane->patience || !link_is_connecting(&channel->link))
		link_connect(&channel->link, now);
}

void channel_tick(struct channel *channel, uint64_t now)
{
	channel_set_timeout(channel, now);
	flow_expire(&channel->flow, now);
	channel->lane->kind->tick(channel, now);
	channel_fill(channel, now);
}

void channel_keep_connected(struct channel *channel, uint64_t now)
{
	channel->link.wanted = channel->lane->sending;
	if (channel->link.fd < 0)
		connect_again(channel, now);
}

void channel_count_drops(struct channel *channel)
{
	uint32_t drops;

	if (!channel->lane->target->datagram)
		return;
	drops = socket_drops(channel->link.fd);
	channel->flow.books->own_drops += (uint32_t)(drops - channel->drops);
	channel->drops = drops;
}

void channel_close_books(struct channel *channel)
{
	channel->handed_in = flow_oldest(&channel->flow);
}

/* What was due and not sent is lost without a connection; else too much was outstanding. */
void channel_end_schedule(struct channel *channel, uint64_t end)
{
	struct books *books = channel->flow.books;
	uint64_t left;

	channel->schedule.end = end;
	left = schedule_count(&channel->schedule, end) - channel->allotted;
	if (channel->link.fd >= 0 || channel->lane->kind->connects) {
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
	stream_count_unexpected(&channel->link.stream);
	books_add_jitter(flow->books, &flow->jitter);
}
