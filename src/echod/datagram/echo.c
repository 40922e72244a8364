/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See echo.h. The path of a datagram: receive, judge, reply, and one send for the whole batch.
 */

#include "config.h"

#include "echod/datagram/echo.h"

#include "base/clock.h"
#include "echod/datagram/batch.h"
#include "echod/datagram/datagrams.h"
#include "echod/datagram/drop_log.h"
#include "echod/datagram/repeats.h"
#include "echod/datagram/sending.h"
#include "echod/datagram/train.h"
#include "echod/datagram/turn.h"
#include "echod/guard/rate_limit.h"
#include "echod/guard/source_key.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/loop.h"

/* One message of a batch while it is judged. */
struct incoming {
	struct udp_notes notes;
	struct arrival arrival;
	const struct address *peer;
	size_t size;
	unsigned datagrams;
};

/* What happened to a batch, counted once at its end. */
struct tally {
	uint64_t received;
	uint64_t bytes;
	uint64_t dropped[VERDICT_COUNT];
};

/* Interface 1 is the loopback one in every network namespace of Linux. */
#define LOOPBACK_INTERFACE 1

/*
 * The interface is unknown for what waited before we asked; the kernel lets no 127/8 in from
 * outside.
 */
static bool came_through_loopback(const struct udp_notes *notes)
{
	return notes->interface == LOOPBACK_INTERFACE ||
	       (notes->interface == 0 && ip_is_loopback(&notes->destination));
}

static void read_message(const struct udp_batch *batch, unsigned index, struct incoming *in)
{
	const struct mmsghdr *message = &batch->in[index];

	in->peer = &batch->peers[index];
	in->size = message->msg_len;
	udp_control_read(&message->msg_hdr, &in->notes);
	in->datagrams = 1;
	if (in->notes.segment > 0 && in->size > in->notes.segment)
		in->datagrams = (unsigned)((in->size - 1) / in->notes.segment + 1);
	address_ip(&in->peer->sa, &in->arrival.source);
	in->arrival.source_port = address_port(in->peer);
	in->arrival.destination = in->notes.destination;
	in->arrival.to_group = in->notes.to_group;
	in->arrival.from_loopback = came_through_loopback(&in->notes);
	in->arrival.hops = in->notes.hops;
}

static bool is_local(const struct incoming *in)
{
	return in->arrival.from_loopback && ip_is_loopback(&in->arrival.source);
}

/* How many of its datagrams may be answered by rate, the first ones. */
static unsigned within_rate(const struct endpoint *endpoint, const struct incoming *in, int64_t now)
{
	struct service *service = endpoint->service;
	struct loop *loop = service->loop;
	struct rate_grant grant;

	if (service->settings->udp_rate == 0 || is_local(in))
		return in->datagrams;
	grant = rate_limit_take(loop->shared->rates, source_tag(service->tag, &in->peer->sa),
				&in->arrival.source, service->settings->udp_rate, in->datagrams,
				now, &loop->random_state);
	if (grant.crowded_out)
		udp_drop_log_refused(endpoint, in->peer, &in->notes, TOO_MANY_SOURCES);
	if (grant.log_due)
		udp_drop_log_limited(endpoint, in->peer, &in->notes);
	return grant.allowed;
}

/* Whether its last datagram is one that a loop would end with. */
static bool ends_a_loop(const struct endpoint *endpoint, unsigned index, const struct incoming *in,
			int64_t now)
{
	const struct service *service = endpoint->service;
	struct loop *loop = service->loop;
	size_t before = (size_t)in->notes.segment * (in->datagrams - 1);
	struct repeat repeat = {.tag = service->tag,
				.source = &in->arrival.source,
				.source_port = in->arrival.source_port,
				.datagrams = in->datagrams,
				.payload = loop->datagrams->batch->payload[index] + before,
				.size = in->size - before};

	return service->settings->udp_ttl_guard && !is_local(in) &&
	       udp_repeats_add(loop->datagrams->repeats, &repeat, now);
}

static void add_reply(struct endpoint *endpoint, unsigned index, const struct incoming *in,
		      unsigned allowed)
{
	struct udp_batch *batch = endpoint->service->loop->datagrams->batch;
	union control *control = &batch->out_control[batch->out_count];
	bool v4 = IN6_IS_ADDR_V4MAPPED(&in->arrival.source);
	struct udp_reply reply = {.datagrams = allowed};
	size_t size = in->size;
	struct msghdr *message;
	int hops = 0;

	if (allowed < in->datagrams)
		size = (size_t)allowed * in->notes.segment;
	if (allowed > 1)
		reply.segment = in->notes.segment;
	if (endpoint->service->settings->udp_ttl_guard)
		hops = guard_reply_hops(in->notes.hops);
	message = udp_batch_reply(batch, index, size, reply);
	udp_control_write(message, control, &in->notes, v4, hops, reply.segment);
	udp_train_join(batch, endpoint->socket->fd);
}

static void judge(struct endpoint *endpoint, unsigned index, int64_t now, struct tally *tally)
{
	struct loop *loop = endpoint->service->loop;
	struct incoming in;
	enum verdict verdict;
	unsigned allowed = 0;

	read_message(loop->datagrams->batch, index, &in);
	tally->received += in.datagrams;
	tally->bytes += in.size;
	verdict = guard_judge(&loop->ports, endpoint->service->settings, &in.arrival);
	if (verdict != ANSWER) {
		tally->dropped[verdict] += in.datagrams;
		udp_drop_log_refused(endpoint, in.peer, &in.notes, verdict);
		return;
	}
	allowed = within_rate(endpoint, &in, now);
	tally->dropped[OVER_RATE] += in.datagrams - allowed;
	if (udp_repeats_due(loop->datagrams->repeats) && allowed == in.datagrams &&
	    ends_a_loop(endpoint, index, &in, now)) {
		allowed--;
		tally->dropped[LOOPED]++;
		udp_drop_log_refused(endpoint, in.peer, &in.notes, LOOPED);
	}
	if (allowed > 0)
		add_reply(endpoint, index, &in, allowed);
}

static void count(struct counters *counters, const struct tally *tally, const struct udp_sent *sent)
{
	counter_add(counters, UDP_RECEIVED_DATAGRAMS, tally->received);
	counter_add(counters, UDP_RECEIVED_BYTES, tally->bytes);
	counter_add(counters, UDP_ECHOED_DATAGRAMS, sent->datagrams);
	counter_add(counters, UDP_SENT_BYTES, sent->bytes);
	counter_add(counters, UDP_DROPPED_SEND, sent->dropped);
	for (int verdict = ANSWER + 1; verdict < VERDICT_COUNT; verdict++) {
		if (tally->dropped[verdict] > 0)
			counter_add(counters, verdict_meanings[verdict].counter,
				    tally->dropped[verdict]);
	}
}

static struct taken answer(struct endpoint *endpoint, unsigned received)
{
	struct loop *loop = endpoint->service->loop;
	struct tally tally = {0};
	int64_t now = (int64_t)clock_ns();
	struct udp_sent sent;

	for (unsigned index = 0; index < received; index++)
		judge(endpoint, index, now, &tally);
	sent = udp_batch_send(loop->datagrams->batch, endpoint->socket->fd, false);
	count(&loop->counters, &tally, &sent);
	if (sent.dropped > 0)
		udp_drop_log_unsent(endpoint, &sent);
	return (struct taken){tally.received, tally.bytes};
}

void udp_echo_ready(int fd UNUSED, short what UNUSED, void *arg)
{
	datagram_turn(arg, true, answer);
}
