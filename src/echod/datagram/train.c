/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See train.h. Works on the replies of a batch before they are sent; the UDP path calls it. */

#include "config.h"

#include "echod/datagram/train.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

#include "base/clock.h"

/* The payload of the largest datagram over IPv4, and so of the largest train. */
#define TRAIN_BYTES_MAX 65507

/* A path or a device may be another one after this time. */
#define REFUSED_MS (30 * 1000)

/* Once, on the first socket: a kernel that does not know trains would send them as one datagram. */
static bool kernel_cuts(struct udp_batch *batch, int fd)
{
	int segment;
	socklen_t size = sizeof(segment);

	if (batch->trains == TRAINS_UNKNOWN)
		batch->trains = getsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, &size) == 0
					? TRAINS_SENT
					: TRAINS_UNSENT;
	return batch->trains == TRAINS_SENT;
}

/* Peers by their port, which is where IPv6 has it: two that share a place only share a hint. */
static unsigned place_of(const struct msghdr *message)
{
	const struct sockaddr_in *peer = message->msg_name;

	return ntohs(peer->sin_port) % PEER_PLACES;
}

/* What segments of trains to this peer must be shorter than. */
static size_t segment_limit(struct udp_batch *batch, unsigned place)
{
	if (batch->refused[place].until == 0)
		return DATAGRAM_MAX;
	if (clock_ms() < batch->refused[place].until)
		return batch->refused[place].size;
	batch->refused[place].until = 0;
	return DATAGRAM_MAX;
}

/* All of a train have the size of the first one; only the last may be shorter, and none empty. */
static bool has_room(const struct udp_batch *batch, unsigned train, size_t size, size_t limit)
{
	const struct udp_reply *reply = &batch->replies[train];
	size_t length = batch->out_data[train].iov_len;
	size_t segment = reply->segment > 0 ? reply->segment : length;

	return size > 0 && size <= segment && segment < limit &&
	       length == segment * reply->datagrams && reply->datagrams < SEGMENTS_MAX &&
	       length + size <= TRAIN_BYTES_MAX;
}

static bool same_way(const struct msghdr *train, const struct msghdr *single, bool is_train)
{
	size_t cut = is_train ? CMSG_SPACE(sizeof(uint16_t)) : 0;

	return train->msg_namelen == single->msg_namelen &&
	       train->msg_controllen == single->msg_controllen + cut &&
	       memcmp(train->msg_name, single->msg_name, single->msg_namelen) == 0 &&
	       memcmp(train->msg_control, single->msg_control, single->msg_controllen) == 0;
}

/* The buffers are far larger than datagrams usually are: behind the first one is room for more. */
static void append(struct udp_batch *batch, unsigned train, unsigned single)
{
	struct udp_reply *reply = &batch->replies[train];
	struct iovec *data = &batch->out_data[train];
	const struct iovec *more = &batch->out_data[single];

	if (reply->segment == 0) {
		reply->segment = (unsigned)data->iov_len;
		udp_control_add_segment(&batch->out[train].msg_hdr, &batch->out_control[train],
					reply->segment);
	}
	memcpy((char *)data->iov_base + data->iov_len, more->iov_base, more->iov_len);
	data->iov_len += more->iov_len;
	reply->datagrams++;
}

void udp_train_join(struct udp_batch *batch, int fd)
{
	unsigned single = batch->out_count - 1;
	const struct msghdr *message = &batch->out[single].msg_hdr;
	unsigned place = place_of(message);
	uint8_t *latest = &batch->latest[place];
	unsigned train = *latest;

	/*
	 * The latest reply to a peer or none: order is kept. What an earlier batch left there does
	 * no harm, for then this one has no reply to the peer yet.
	 */
	*latest = (uint8_t)single;
	if (train >= single || batch->replies[single].segment > 0 || !kernel_cuts(batch, fd) ||
	    !has_room(batch, train, batch->out_data[single].iov_len, segment_limit(batch, place)) ||
	    !same_way(&batch->out[train].msg_hdr, message, batch->replies[train].segment > 0))
		return;
	append(batch, train, single);
	*latest = (uint8_t)train;
	batch->out_count--;
}

void udp_train_refused(struct udp_batch *batch, const struct msghdr *train, unsigned segment,
		       int error)
{
	unsigned place = place_of(train);
	/* EIO is a device that cannot cut at all; else a segment is more than one packet takes. */
	size_t size = error == EIO ? 0 : segment;

	if (size < segment_limit(batch, place))
		batch->refused[place].size = size;
	batch->refused[place].until = clock_ms() + REFUSED_MS;
}
