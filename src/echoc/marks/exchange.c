/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See exchange.h. A reply is matched to its probe by its number and the time that it repeats. */

#include "config.h"

#include "echoc/marks/exchange.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/big_endian.h"
#include "base/clock.h"
#include "echoc/command/signals.h"
#include "probe/receive.h"

#define PACKET_MAX STAMP_LEAST_MAX

struct sent {
	uint64_t time; /* as it says; 0: answered */
	struct mark *mark;
	bool again;
};

struct exchange {
	struct marks *marks;
	const struct stamp_form *form;
	struct receiver receiver;
	uint64_t offset; /* of the wall clock */
	bool is_ipv6;
	struct sent *probes;
	size_t total, sent, waiting;
};

static int set_tos(const struct exchange *exchange, int tos)
{
	int fd = exchange->receiver.fd;
	int v4 = setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));

	if (!exchange->is_ipv6)
		return v4;
	return setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

/* -1 and errno: it cannot be marked. */
static int send_probe(struct exchange *exchange, struct mark *mark, bool again)
{
	struct stamp_question question = {.sequence = (uint32_t)exchange->sent,
					  .error = stamp_estimate(),
					  .dscp = again ? 0 : mark->dscp};
	uint8_t packet[PACKET_MAX];
	unsigned attempts = 3; /* the error of an earlier datagram is reported first */

	if (set_tos(exchange, mark_tos(mark)) < 0)
		return -1;
	question.time = stamp_time_of(clock_ns() + exchange->offset);
	stamp_write(exchange->form, &question, packet);
	while (send(exchange->receiver.fd, packet, exchange->form->size, MSG_NOSIGNAL) < 0 &&
	       --attempts > 0)
		exchange->marks->refused += errno == ECONNREFUSED;
	exchange->probes[exchange->sent++] = (struct sent){question.time, mark, again};
	exchange->waiting++;
	mark->sent += !again;
	mark->sent_again += again;
	return 0;
}

/* The number of the probe that a reply is to; the total: of none that waits. */
static size_t number_of(const struct exchange *exchange, uint32_t sequence, uint64_t time)
{
	if (sequence >= exchange->sent || exchange->probes[sequence].time == 0 ||
	    !stamp_repeats(time, exchange->probes[sequence].time))
		return exchange->total;
	return sequence;
}

static void enter(struct exchange *exchange, size_t number, enum far_kind far,
		  const struct mark_reply *reply)
{
	struct sent *probe = &exchange->probes[number];

	exchange->marks->far = far;
	probe->time = 0;
	exchange->waiting -= exchange->waiting > 0; /* it may have been given up */
	if (probe->again)
		mark_enter_again(probe->mark, reply);
	else
		mark_enter(probe->mark, reply);
}

/* A probe that was returned as it was. */
static void take_echo(struct exchange *exchange, const uint8_t *packet, int tos)
{
	const struct stamp_layout *layout =
		exchange->form->key ? &stamp_authenticated : &stamp_unauthenticated;
	size_t number = number_of(exchange, get32(packet), get64(packet + layout->time));
	struct mark_reply reply = {.there = -1, .back = tos};

	if (number == exchange->total)
		return;
	reply.back_dscp = exchange->probes[number].mark->dscp;
	enter(exchange, number, FAR_ECHO, &reply);
}

/* A reflector may refuse our wish, and then uses the DSCP that it received. */
static void take(struct exchange *exchange, const uint8_t *packet, size_t size, int tos)
{
	struct mark_reply reply = {.there = -1, .back = tos};
	struct stamp_answer answer;
	size_t number;

	if (size == exchange->form->size)
		take_echo(exchange, packet, tos);
	if (stamp_read(exchange->form, packet, size, &answer) < 0)
		return;
	number = number_of(exchange, answer.request_sequence, answer.request_time);
	if (number == exchange->total)
		return;
	reply.back_dscp = exchange->probes[number].mark->dscp;
	if ((answer.options & STAMP_ASKS_CLASS) == 0)
		reply.back = -1; /* it knows nothing of wishes */
	else
		reply.there = answer.dscp << 2 | answer.ecn;
	if (answer.dscp_refused)
		reply.back_dscp = answer.dscp;
	enter(exchange, number, FAR_STAMP, &reply);
}

/* Waits for one reply, or an error. */
static void read_some(struct exchange *exchange, uint64_t until)
{
	uint8_t packet[PACKET_MAX];
	struct reception reception;
	ssize_t size;

	if (signals_wait(exchange->receiver.fd, POLLIN, until) == 0)
		return;
	size = receive(&exchange->receiver, packet, sizeof(packet), &reception);
	if (size >= 0)
		take(exchange, packet, (size_t)size, reception.tos);
	else
		exchange->marks->refused += errno == ECONNREFUSED;
}

/* Of the replies; a second signal ends the wait. */
static void await(struct exchange *exchange, uint64_t timeout)
{
	uint64_t deadline = clock_ns() + timeout;

	while (exchange->waiting > 0 && signals_caught() < 2 && clock_ns() < deadline)
		read_some(exchange, deadline);
	exchange->waiting = 0;
}

/* Until a signal comes; -1 and errno. */
static int send_all(struct exchange *exchange, const struct arguments *arguments, bool again)
{
	struct marks *marks = exchange->marks;
	uint64_t due = clock_ns();

	for (size_t i = 0; i < marks->count * arguments->count; i++) {
		struct mark *mark = &marks->marks[i % marks->count];

		if (again && !mark_is_worth_another_try(marks, mark))
			continue;
		do
			read_some(exchange, due);
		while (clock_ns() < due && signals_caught() == 0);
		if (signals_caught() > 0) {
			marks->unfinished = true;
			break;
		}
		if (send_probe(exchange, mark, again) < 0)
			return -1;
		due += arguments->interval_ms * NS_PER_MS;
	}
	await(exchange, arguments->timeout_ms * NS_PER_MS);
	return 0;
}

int marks_exchange(struct marks *marks, const struct arguments *arguments,
		   const struct stamp_form *form, const struct target *target, int fd,
		   struct reason *reason)
{
	int family = target->candidates[target->chosen].sa.sa_family;
	struct exchange exchange = {.marks = marks,
				    .form = form,
				    .offset = wall_clock_offset(),
				    .is_ipv6 = family == AF_INET6,
				    .total = 2 * marks->count * (size_t)arguments->count};
	int result;

	exchange.probes = calloc(exchange.total, sizeof(*exchange.probes));
	if (!exchange.probes)
		return reason_set(reason, "out of memory");
	receive_prepare(&exchange.receiver, fd);
	result = send_all(&exchange, arguments, false);
	if (result == 0)
		result = send_all(&exchange, arguments, true);
	if (result < 0)
		(void)reason_set(reason, "cannot mark packets: %s", strerror(errno));
	free(exchange.probes);
	return result;
}
