/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See unixgram.h. */

#include "config.h"

#include "echod/datagram/unixgram.h"

#include <stddef.h>

#include "echod/datagram/batch.h"
#include "echod/datagram/datagrams.h"
#include "echod/datagram/drop_log.h"
#include "echod/datagram/sending.h"
#include "echod/datagram/turn.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/loop.h"

/*
 * An answer goes wherever the sender's name leads, and a name may be a link to a socket of ours.
 * All of these belong to one worker, so they are among its endpoints.
 */
static bool is_ours(const struct loop *loop, const struct address *sender)
{
	const struct endpoint *endpoint;

	LIST_FOREACH (endpoint, &loop->endpoints, link) {
		if (endpoint->socket->kind == SOCKET_UNIXGRAM &&
		    address_equal(&endpoint->socket->address, sender))
			return true;
	}
	return false;
}

/* A sender without a name cannot be answered; what fills the buffer may have been cut to fit. */
static bool answerable(const struct loop *loop, unsigned index)
{
	const struct mmsghdr *message = &loop->datagrams->batch->in[index];
	struct address *sender = &loop->datagrams->batch->peers[index];

	sender->length = message->msg_hdr.msg_namelen;
	return sender->length > offsetof(struct sockaddr_un, sun_path) &&
	       message->msg_len < DATAGRAM_MAX && !is_ours(loop, sender);
}

/* Of a name that fills its room the kernel counts a NUL that did not fit, and refuses that. */
static void reply(struct udp_batch *batch, unsigned index)
{
	struct msghdr *out = udp_batch_reply(batch, index, batch->in[index].msg_len,
					     (struct udp_reply){.datagrams = 1});

	if (out->msg_namelen > sizeof(struct sockaddr_un))
		out->msg_namelen = sizeof(struct sockaddr_un);
}

static struct taken answer(struct endpoint *endpoint, unsigned count)
{
	struct loop *loop = endpoint->service->loop;
	struct udp_batch *batch = loop->datagrams->batch;
	struct udp_sent sent;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < count; i++) {
		bytes += batch->in[i].msg_len;
		if (answerable(loop, i))
			reply(batch, i);
	}
	counter_add(&loop->counters, UDP_RECEIVED_DATAGRAMS, count);
	counter_add(&loop->counters, UDP_RECEIVED_BYTES, bytes);
	counter_add(&loop->counters, UDP_DROPPED_GUARD, count - batch->out_count);
	sent = udp_batch_send(batch, endpoint->socket->fd, true);
	counter_add(&loop->counters, UDP_ECHOED_DATAGRAMS, sent.datagrams);
	counter_add(&loop->counters, UDP_SENT_BYTES, sent.bytes);
	counter_add(&loop->counters, UDP_DROPPED_SEND, sent.dropped);
	if (sent.dropped > 0)
		udp_drop_log_unsent(endpoint, &sent);
	return (struct taken){count, bytes};
}

void unixgram_echo_ready(int fd UNUSED, short what UNUSED, void *arg)
{
	datagram_turn(arg, false, answer);
}
