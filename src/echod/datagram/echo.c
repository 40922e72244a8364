/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See echo.h. The path of a datagram: receive, judge, reply, and one send for the whole batch.
 */

#include "config.h"

#include "echod/datagram/echo.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "echod/datagram/batch.h"
#include "echod/datagram/datagrams.h"
#include "echod/datagram/drop_log.h"
#include "echod/datagram/modes/modes.h"
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

/* A batch while it is judged. What happened to it is counted once, at its end. */
struct judging {
	struct endpoint *endpoint;
	const struct listener_config *settings;
	const struct datagram_mode *mode;
	int64_t now;
	uint64_t received;
	uint64_t bytes;
	uint64_t dropped[VERDICT_COUNT];
};

/* Interface 1 is the loopback one in every network namespace of Linux. */
#define LOOPBACK_INTERFACE 1

#define HOPS_MAX 255
#define ECN_MASK 3

/*
 * The interface is unknown for what waited before we asked; the kernel lets no 127/8 in from
 * outside.
 */
static bool came_through_loopback(const struct udp_notes *notes)
{
	return notes->interface == LOOPBACK_INTERFACE ||
	       (notes->interface == 0 && ip_is_loopback(&notes->destination));
}

static void read_message(const struct udp_batch *batch, unsigned index, unsigned waives,
			 struct incoming *in)
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
	in->arrival.waives = waives;
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

/* 0: what the kernel chooses. */
static int reply_hops(const struct judging *judging, const struct incoming *in)
{
	if (judging->settings->udp_ttl_guard)
		return guard_reply_hops(in->notes.hops, judging->mode->waives);
	return judging->mode->waives & WAIVES_HOP_CAP ? HOPS_MAX : 0;
}

/* -1: what the kernel chooses. The two bits of ECN are about the path of the question only. */
static int reply_tos(const struct judging *judging, const struct incoming *in)
{
	if (!judging->settings->reflect_dscp || in->notes.tos < 0)
		return -1;
	return in->notes.tos & ~ECN_MASK;
}

static INLINED void add_message(const struct judging *judging, unsigned index,
				const struct incoming *in, size_t size,
				const struct udp_reply *reply, int tos)
{
	struct udp_batch *batch = judging->endpoint->service->loop->datagrams->batch;
	union control *control = &batch->out_control[batch->out_count];
	struct udp_answer how = {.v4 = IN6_IS_ADDR_V4MAPPED(&in->arrival.source),
				 .hops = reply_hops(judging, in),
				 .tos = tos,
				 .segment = reply->segment};

	udp_control_write(udp_batch_reply(batch, index, size, *reply), control, &in->notes, &how);
}

/* Plain echo: what came leaves again, from where it lies. */
static void echo(const struct judging *judging, unsigned index, const struct incoming *in,
		 unsigned allowed)
{
	struct udp_reply reply = {.datagrams = allowed};
	size_t size = in->size;

	if (allowed < in->datagrams)
		size = (size_t)allowed * in->notes.segment;
	if (allowed > 1)
		reply.segment = in->notes.segment;
	add_message(judging, index, in, size, &reply, reply_tos(judging, in));
	udp_train_join(judging->endpoint->service->loop->datagrams->batch,
		       judging->endpoint->socket->fd);
}

static void refuse(struct judging *judging, const struct incoming *in, enum verdict verdict,
		   unsigned datagrams)
{
	judging->dropped[verdict] += datagrams;
	udp_drop_log_refused(judging->endpoint, in->peer, &in->notes, verdict);
}

/* The scope of a link-local source; the kernel sets none for others. */
static uint32_t scope_of(const struct address *peer)
{
	return peer->sa.sa_family == AF_INET6 ? peer->in6.sin6_scope_id : 0;
}

/* What came while the socket did not yet ask for its time has none. */
static void fill_in_time(struct udp_notes *notes)
{
	if (notes->received.tv_sec == 0)
		clock_gettime(CLOCK_REALTIME, &notes->received);
}

static struct question *question_of(const struct judging *judging, unsigned index,
				    const struct incoming *in)
{
	const struct endpoint *endpoint = judging->endpoint;
	struct datagrams *datagrams = endpoint->service->loop->datagrams;
	struct udp_batch *batch = datagrams->batch;
	struct question *question = &datagrams->questions[batch->out_count];

	*question = (struct question){.payload = (uint8_t *)batch->payload[index],
				      .size = in->size,
				      .notes = in->notes,
				      .source = in->arrival.source,
				      .scope = scope_of(in->peer),
				      .source_port = in->arrival.source_port,
				      .own_port = address_port(&endpoint->socket->address),
				      .now = judging->now,
				      .settings = judging->settings,
				      .sessions = endpoint->service->sessions,
				      .state = &datagrams->mode_state,
				      .reply_tos = reply_tos(judging, in)};
	fill_in_time(&question->notes);
	return question;
}

static NOT_INLINED void answer_question(struct judging *judging, unsigned index,
					const struct incoming *in)
{
	struct question *question = question_of(judging, index, in);
	enum verdict verdict = judging->mode->answer(question);
	struct udp_reply reply = {.datagrams = in->datagrams};

	if (verdict == ANSWER)
		add_message(judging, index, in, question->size, &reply, question->reply_tos);
	else
		refuse(judging, in, verdict, in->datagrams);
}

static NOT_INLINED void note_unanswered(const struct judging *judging, unsigned index,
					const struct incoming *in)
{
	if (judging->mode->unanswered)
		judging->mode->unanswered(question_of(judging, index, in));
}

static void judge(struct judging *judging, unsigned index)
{
	struct endpoint *endpoint = judging->endpoint;
	struct loop *loop = endpoint->service->loop;
	struct incoming in;
	enum verdict verdict;
	unsigned allowed;

	read_message(loop->datagrams->batch, index, judging->mode->waives, &in);
	judging->received += in.datagrams;
	judging->bytes += in.size;
	verdict = guard_judge(&loop->ports, judging->settings, &in.arrival);
	if (verdict != ANSWER) {
		refuse(judging, &in, verdict, in.datagrams);
		return;
	}
	allowed = within_rate(endpoint, &in, judging->now);
	judging->dropped[OVER_RATE] += in.datagrams - allowed;
	if (udp_repeats_due(loop->datagrams->repeats) && allowed == in.datagrams &&
	    ends_a_loop(endpoint, index, &in, judging->now)) {
		allowed--;
		refuse(judging, &in, LOOPED, 1);
	}
	if (allowed == 0)
		note_unanswered(judging, index, &in);
	else if (judging->mode->answer)
		answer_question(judging, index, &in);
	else
		echo(judging, index, &in, allowed);
}

static struct udp_sent send_replies(const struct judging *judging)
{
	const struct endpoint *endpoint = judging->endpoint;
	struct datagrams *datagrams = endpoint->service->loop->datagrams;

	if (judging->mode->seal)
		return udp_batch_send_sealed(datagrams->batch, endpoint->socket->fd, judging->mode,
					     datagrams->questions);
	return udp_batch_send(datagrams->batch, endpoint->socket->fd, false);
}

static void count(struct counters *counters, const struct judging *judging,
		  const struct udp_sent *sent)
{
	counter_add(counters, UDP_RECEIVED_DATAGRAMS, judging->received);
	counter_add(counters, UDP_RECEIVED_BYTES, judging->bytes);
	counter_add(counters, UDP_ECHOED_DATAGRAMS, sent->datagrams);
	counter_add(counters, UDP_SENT_BYTES, sent->bytes);
	counter_add(counters, UDP_DROPPED_SEND, sent->dropped);
	for (int verdict = ANSWER + 1; verdict < VERDICT_COUNT; verdict++) {
		if (judging->dropped[verdict] > 0)
			counter_add(counters, verdict_meanings[verdict].counter,
				    judging->dropped[verdict]);
	}
}

static struct taken answer(struct endpoint *endpoint, unsigned received)
{
	const struct listener_config *settings = endpoint->service->settings;
	struct judging judging = {.endpoint = endpoint,
				  .settings = settings,
				  .mode = &datagram_modes[settings->mode],
				  .now = (int64_t)clock_ns()};
	struct udp_sent sent;

	for (unsigned index = 0; index < received; index++)
		judge(&judging, index);
	sent = send_replies(&judging);
	count(&endpoint->service->loop->counters, &judging, &sent);
	if (sent.dropped > 0)
		udp_drop_log_unsent(endpoint, &sent);
	return (struct taken){judging.received, judging.bytes};
}

void udp_echo_ready(int fd UNUSED, short what UNUSED, void *arg)
{
	datagram_turn(arg, true, answer);
}

void udp_echo_adapt(struct endpoint *endpoint)
{
	const struct listener_config *settings = endpoint->service->settings;
	unsigned needs = datagram_modes[settings->mode].needs;
	char text[ADDRESS_TEXT_MAX];

	if (settings->reflect_dscp)
		needs |= NEEDS_TOS;
	if (endpoint->adapted && endpoint->needs == needs)
		return;
	endpoint->needs = needs;
	endpoint->adapted = udp_control_set(endpoint->socket->fd, needs) == 0;
	if (!endpoint->adapted)
		log_warning("cannot learn the time or the DSCP of datagrams on udp %s: %s",
			    address_format(&endpoint->socket->address, text), strerror(errno));
}
