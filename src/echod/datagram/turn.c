/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See turn.h. Keeps its state in the endpoint; called by both datagram paths. */

#include "config.h"

#include "echod/datagram/turn.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "echod/datagram/batch.h"
#include "echod/datagram/datagrams.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/loop.h"
#include "echod/serving/protocol.h"

#define BATCHES_PER_TURN 4

/*
 * All datagram sockets of a loop together take about this much in a round, each busy one an equal
 * share, so that no order of turns prefers one. A datagram costs its bytes, and 512 more for the
 * work that does not depend on its size: a train of 64 tiny ones is as much work as a large one.
 */
#define LOOP_COST (1024 * 1024)
#define DATAGRAM_COST 512

/* A socket that has failed for this long is deaf, which the health check reports. */
#define DEAF_AFTER_MS 5000

/* How long what waits at a socket is answered before it is closed, at most. */
#define REST_MS 100

/*
 * What a socket may take in its turn. We expect as many busy sockets as in the last round; if more
 * come, the last of them may find everything taken, and still get one message each.
 */
static int64_t share_of_round(struct endpoint *endpoint)
{
	struct datagram_round *round = &endpoint->service->loop->datagrams->round;
	unsigned sockets;
	int64_t share;

	if (endpoint->round == round->number)
		*round = (struct datagram_round){.number = round->number + 1,
						 .sockets_before = round->sockets,
						 .left = LOOP_COST};
	endpoint->round = round->number;
	round->sockets++;
	sockets = round->sockets > round->sockets_before ? round->sockets : round->sockets_before;
	share = LOOP_COST / sockets < round->left ? LOOP_COST / sockets : round->left;
	return share > 0 ? share : 1;
}

/*
 * How many messages to ask for, by what they lately cost: the kernel may hand over 64 KiB with each
 * of 64. Of a socket that has received nothing yet we expect that. After small ones a batch may be
 * that large all the same; to receive in pieces that cannot be would cost small ones a third more.
 */
static unsigned affordable(const struct endpoint *endpoint, int64_t left)
{
	int64_t each = endpoint->message_cost > 0 ? endpoint->message_cost : DATAGRAM_MAX;
	int64_t count = left / each;

	return count < 1 ? 1 : count < BATCH_SIZE ? (unsigned)count : BATCH_SIZE;
}

/* Learns a rise at once and forgets it slowly, so that small ones in between change little. */
static void learn_cost(struct endpoint *endpoint, int64_t cost)
{
	if (cost > endpoint->message_cost)
		endpoint->message_cost = cost;
	else
		endpoint->message_cost -= (endpoint->message_cost - cost) / 16;
}

static void set_deaf(struct endpoint *endpoint, bool deaf)
{
	if (endpoint->deaf == deaf)
		return;
	endpoint->deaf = deaf;
	counter_add(&endpoint->service->loop->counters, DEAF_SOCKETS, deaf ? 1 : UINT64_MAX);
}

void datagram_turn_end(struct endpoint *endpoint)
{
	endpoint->pause_ms = 0;
	set_deaf(endpoint, false);
}

static void say_why(const struct endpoint *endpoint, int error)
{
	struct shared_tables *shared = endpoint->service->loop->shared;
	const struct listen_socket *socket = endpoint->socket;
	char text[ADDRESS_TEXT_MAX];
	unsigned suppressed;

	if (log_throttle_pass(&shared->receive_lines, clock_ms(), &suppressed))
		log_warning("cannot receive on %s %s: %s; trying again from time to time%s",
			    socket_kind_names[socket->kind], address_format(&socket->address, text),
			    strerror(error),
			    error == EPERM || error == ENOSYS
				    ? " (a filter of system calls without recvmmsg?)"
				    : "");
}

/* Leaves the socket alone for a while: trying at once would only fail again, and again. */
static void pause_receiving(struct endpoint *endpoint, int error)
{
	int64_t now = clock_ms();

	say_why(endpoint, error);
	if (endpoint->pause_ms == 0)
		endpoint->failing_since = now;
	set_deaf(endpoint, now - endpoint->failing_since >= DEAF_AFTER_MS);
	endpoint_back_off(endpoint);
}

static bool exhausted(int error)
{
	return error == ENOMEM || error == ENOBUFS;
}

/* Takes what a batch of COUNT messages cost off the round, and returns it. */
static inline int64_t charge(struct endpoint *endpoint, const struct taken *taken, int count)
{
	struct datagrams *datagrams = endpoint->service->loop->datagrams;
	int64_t cost = (int64_t)(taken->bytes + taken->datagrams * DATAGRAM_COST);

	/* One small message uses the same page each time: that is not worth a timer. */
	if (taken->datagrams > 1 || taken->bytes > BATCH_KEPT)
		datagrams_note_use(datagrams);
	learn_cost(endpoint, cost / count);
	datagrams->round.left -= cost;
	return cost;
}

void datagram_turn(struct endpoint *endpoint, bool with_notes, datagram_answer *answer)
{
	struct loop *loop = endpoint->service->loop;
	int64_t left = share_of_round(endpoint);
	int failed = 0;

	for (int i = 0; i < BATCHES_PER_TURN && left > 0; i++) {
		unsigned most = affordable(endpoint, left);
		int count = udp_batch_receive(loop->datagrams->batch, endpoint->socket->fd,
					      with_notes, most);
		struct taken taken;

		if (count < 0) {
			counter_add(&loop->counters, UDP_RECEIVE_ERRORS, 1);
			/* Of other errors the next message may be free; those that stay are not. */
			if (!exhausted(errno) && ++failed < BATCHES_PER_TURN)
				continue;
			pause_receiving(endpoint, errno);
			return;
		}
		if (endpoint->pause_ms > 0)
			datagram_turn_end(endpoint);
		if (count == 0)
			return;
		taken = answer(endpoint, (unsigned)count);
		left -= charge(endpoint, &taken, count);
		if ((unsigned)count < most)
			return;
	}
}

/* A flood must not hold up the stop. */
void datagram_turn_rest(struct endpoint *endpoint)
{
	struct pollfd ready = {.fd = endpoint->socket->fd, .events = POLLIN};
	int64_t begun = clock_ms();

	while (!endpoint->paused && poll(&ready, 1, 0) > 0 && clock_ms() - begun < REST_MS)
		endpoint->protocol->ready(ready.fd, EV_READ, endpoint);
}
