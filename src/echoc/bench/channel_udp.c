/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A UDP or unixgram socket of a bench: batches in, batches out, or with -g trains of one flow in
 * one call each way. Owns the batch of its lane.
 */

#include "config.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "echoc/bench/channel.h"
#include "probe/train.h"

#define BATCH_MAX 64
#define PLAIN_BYTES (1u << 20)
#define TRAIN_BATCH 8 /* received in one call; sent are as many as fit into TRAIN_BYTES */
#define TRAIN_BYTES 65536u
#define SEND_ATTEMPTS 3

union train_control {
	struct cmsghdr header;
	unsigned char space[CMSG_SPACE(sizeof(int))];
};

struct datagram_batch {
	unsigned count;	   /* entries in use for receiving */
	size_t stride;	   /* room for each when receiving */
	unsigned segments; /* in a train, at most; 1: no trains */
	struct mmsghdr in[BATCH_MAX];
	struct iovec in_parts[BATCH_MAX];
	union train_control controls[BATCH_MAX];
	struct mmsghdr out[BATCH_MAX]; /* single datagrams, or trains */
	struct iovec out_parts[BATCH_MAX];
	union train_control cut; /* makes a train of what is sent */
};

static void point_headers(struct lane *lane, size_t size)
{
	struct datagram_batch *batch = lane->batch;
	uint16_t segment = (uint16_t)size;

	for (unsigned i = 0; i < batch->count; i++) {
		struct msghdr *in = &batch->in[i].msg_hdr;

		batch->in_parts[i] = (struct iovec){lane->in + i * batch->stride, batch->stride};
		in->msg_iov = &batch->in_parts[i];
		in->msg_iovlen = 1;
		if (lane->gso)
			in->msg_control = batch->controls[i].space;
	}
	for (unsigned i = 0; i < BATCH_MAX; i++) {
		batch->out[i].msg_hdr.msg_iov = &batch->out_parts[i];
		batch->out[i].msg_hdr.msg_iovlen = 1;
	}
	batch->cut.header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(segment)),
					     .cmsg_level = IPPROTO_UDP,
					     .cmsg_type = UDP_SEGMENT};
	memcpy(CMSG_DATA(&batch->cut.header), &segment, sizeof(segment));
}

/* A byte more than what was sent, so that a reply that is too long shows. */
static int udp_prepare(struct lane *lane, size_t size)
{
	struct datagram_batch *batch = calloc(1, sizeof(*batch));
	size_t fitting = PLAIN_BYTES / (size + 1);

	lane->batch = batch;
	if (!batch)
		return -1;
	batch->count = lane->gso	     ? TRAIN_BATCH
		       : fitting > BATCH_MAX ? BATCH_MAX
					     : (unsigned)fitting;
	batch->stride = lane->gso ? TRAIN_BYTES : size + 1;
	batch->segments = lane->gso ? train_length(size) : 1;
	lane->in_size = batch->count * batch->stride;
	lane->out_size = lane->gso ? TRAIN_BYTES : batch->count * size;
	lane->in = malloc(lane->in_size);
	lane->out = malloc(lane->out_size);
	if (!lane->in || !lane->out)
		return -1;
	memset(lane->in, 1, lane->in_size); /* the memory is there from the start */
	memset(lane->out, 1, lane->out_size);
	point_headers(lane, size);
	return 0;
}

/* How many of the probes that wait to be sent go into one call, at most: whole trains. */
static unsigned call_capacity(const struct channel *channel)
{
	unsigned segments = channel->lane->batch->segments;
	size_t trains = channel->lane->out_size / (segments * channel->flow.size);

	return segments * (trains > BATCH_MAX ? BATCH_MAX : (unsigned)trains);
}

static unsigned write_probes(const struct channel *channel)
{
	const struct flow *flow = &channel->flow;
	uint64_t pending = flow_next(flow) - channel->link.writer.sequence;
	unsigned count = call_capacity(channel);

	if (pending < count)
		count = (unsigned)pending;
	for (unsigned i = 0; i < count; i++) {
		struct probe probe = flow_probe(flow, channel->link.writer.sequence + i);

		probe_write(&probe, 0, channel->lane->out + i * flow->size, flow->size);
	}
	return count;
}

/* Message number AT of a call: COUNT probes, which are a train if they are several. */
static void couple(const struct channel *channel, unsigned at, unsigned count)
{
	struct datagram_batch *batch = channel->lane->batch;
	size_t size = channel->flow.size;
	struct msghdr *message = &batch->out[at].msg_hdr;

	batch->out_parts[at] =
		(struct iovec){channel->lane->out + at * batch->segments * size, count * size};
	message->msg_control = count > 1 ? &batch->cut : NULL;
	message->msg_controllen = count > 1 ? CMSG_SPACE(sizeof(uint16_t)) : 0;
}

/* How many the kernel took, or -1. */
static int send_probes(const struct channel *channel, unsigned count)
{
	struct datagram_batch *batch = channel->lane->batch;
	unsigned messages = 0;
	int sent;

	for (unsigned left = count; left > 0; messages++) {
		unsigned next = left > batch->segments ? batch->segments : left;

		couple(channel, messages, next);
		left -= next;
	}
	sent = sendmmsg(channel->link.fd, batch->out, messages, MSG_NOSIGNAL);
	if (sent < 0)
		return -1;
	return (unsigned)sent == messages ? (int)count : sent * (int)batch->segments;
}

/* The train was too long, a segment exceeds the MTU, or the device does not support it. */
static bool make_smaller(struct lane *lane, int error)
{
	if (!lane->gso || (error != EINVAL && error != EMSGSIZE && error != EIO))
		return false;
	if (error == EINVAL && lane->batch->segments > TRAIN_SEGMENTS_OLD) {
		lane->batch->segments = TRAIN_SEGMENTS_OLD;
		return true;
	}
	lane->batch->segments = 1; /* from now on as single datagrams */
	lane->gso = false;
	return true;
}

/* False when sending has to wait: for room in the socket, or for the next tick after an error. */
static bool recover(struct channel *channel, int error)
{
	struct flow *flow = &channel->flow;

	if (error == EAGAIN || error == EINTR || error == ENOBUFS) {
		event_add(&channel->link.writable, NULL);
		return false;
	}
	if (error == ECONNREFUSED) { /* an earlier datagram's; this one is still to be sent */
		flow->books->refused++;
		return true;
	}
	if (make_smaller(channel->lane, error))
		return true;
	channel->lane->send_error = error;
	if (flow_awaits(flow, channel->link.writer.sequence))
		flow_lose(flow, channel->link.writer.sequence);
	channel->link.writer.sequence++;
	return false;
}

/* Sends what was begun; false when it could not all go now. */
static bool flush(struct channel *channel)
{
	unsigned attempts = SEND_ATTEMPTS;

	while (writer_pending(&channel->link.writer, &channel->flow)) {
		unsigned count = write_probes(channel);
		int sent = send_probes(channel, count);

		if (sent >= 0)
			channel->link.writer.sequence += (unsigned)sent;
		else if (!recover(channel, errno) || --attempts == 0)
			return false;
	}
	return true;
}

static void udp_fill(struct channel *channel, uint64_t now)
{
	while (flush(channel)) {
		if (channel_take(channel, now, call_capacity(channel)) == 0)
			return;
	}
}

/* So that late is part of lost in the books of every interval. */
static void enter_late_before(struct books *books)
{
	books->late--;
	books->late_before++;
}

static void take_in(struct channel *channel, const unsigned char *data, size_t length, uint64_t now)
{
	struct finding finding;
	uint64_t sequence = flow_judge_datagram(&channel->flow, data, length, &finding);
	uint64_t rtt;

	if (sequence == 0)
		channel->flow.books->unexpected++;
	else if (flow_reply(&channel->flow, sequence, &finding, length, now, &rtt) == FATE_LATE &&
		 sequence < channel->handed_in)
		enter_late_before(channel->flow.books);
}

/* The size of each datagram in a train that the kernel put together; 0 when it is just one. */
static size_t segment_size(struct msghdr *message)
{
	const struct cmsghdr *control = CMSG_FIRSTHDR(message);
	int size;

	if (!control || control->cmsg_level != IPPROTO_UDP || control->cmsg_type != UDP_GRO)
		return 0;
	memcpy(&size, CMSG_DATA(control), sizeof(size));
	return size > 0 ? (size_t)size : 0;
}

static void take_message(struct channel *channel, struct mmsghdr *message, uint64_t now)
{
	const unsigned char *data = message->msg_hdr.msg_iov->iov_base;
	size_t left = message->msg_len;
	size_t segment = segment_size(&message->msg_hdr);

	do {
		size_t length = segment > 0 && segment < left ? segment : left;
		size_t taken = 0;

		if (length == channel->flow.size)
			taken = flow_reply_train(&channel->flow, data, left, now);
		if (taken == 0) {
			take_in(channel, data, length, now);
			taken = length;
		}
		data += taken;
		left -= taken;
	} while (left > 0);
}

static void fail_receive(struct channel *channel, int error)
{
	if (error == ECONNREFUSED)
		channel->flow.books->refused++;
}

static void on_readable(evutil_socket_t fd, short what UNUSED, void *context)
{
	struct channel *channel = context;
	struct datagram_batch *batch = channel->lane->batch;
	uint64_t now;
	int count;

	for (unsigned i = 0; i < batch->count && batch->in[0].msg_hdr.msg_control; i++)
		batch->in[i].msg_hdr.msg_controllen = sizeof(batch->controls[i]);
	count = recvmmsg(fd, batch->in, batch->count, 0, NULL);
	if (count < 0) {
		fail_receive(channel, errno);
		return;
	}
	now = clock_ns();
	channel->lane->last_heard = now;
	channel_set_timeout(channel, now);
	for (int i = 0; i < count; i++)
		take_message(channel, &batch->in[i], now);
	udp_fill(channel, now);
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	udp_fill(context, clock_ns());
}

static void udp_prepare_socket(const struct lane *lane, int fd)
{
	const int on = 1;

	if (lane->gso)
		(void)setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on));
}

const struct channel_kind channel_udp = {
	.user = {.readable = on_readable, .writable = on_writable},
	.prepare = udp_prepare,
	.prepare_socket = udp_prepare_socket,
	.fill = udp_fill,
	.tick = channel_keep_connected,
};
