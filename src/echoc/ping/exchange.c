/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a ping sends and receives, with all that the kernel knows about it: when a reply came, which
 * router returned an error. Owns nothing; ping.c calls it.
 */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "echoc/ping/pinger.h"
#include "echoc/ping/wire.h"
#include "probe/icmp_error.h"
#include "probe/stopped.h"

#define ERRORS_MAX 256	/* at once */
#define WAITED_MAX 4096 /* messages without a stamp that are read after a stop of ours */
#define REFUSED "refused: nothing listens there"

/* Only IP sockets have one; it knows more than errno. */
static bool has_error_queue(const struct pinger *pinger)
{
	return pinger->target->datagram &&
	       pinger->target->candidates[pinger->target->chosen].sa.sa_family != AF_UNIX;
}

void ping_prepare(struct pinger *pinger)
{
	pinger->last_heard = clock_ns();
	receive_prepare(&pinger->receiver, pinger->link.fd);
	if (has_error_queue(pinger))
		icmp_error_prepare(pinger->link.fd);
}

static void lose(struct pinger *pinger, uint64_t sequence, const char *why)
{
	pinger->link.user->lost(pinger, sequence, why);
}

static void take_datagram(struct pinger *pinger, size_t length)
{
	struct finding finding;
	uint64_t sequence;

	pinger->report = no_far_report;
	sequence = pinger->wire->judge(pinger, length, &finding);
	if (sequence != 0) {
		pinger->link.user->reply(pinger, sequence, &finding, length);
		return;
	}
	pinger->flow.books->unexpected++;
	ping_output_unexpected(&pinger->output, pinger->buffer, length);
}

/* The probe that an error quotes or, if it quotes too little, may concern; 0: none. */
static uint64_t sequence_of(const struct pinger *pinger, const struct icmp_error *error,
			    uint64_t before)
{
	uint64_t oldest = flow_oldest_waiting(&pinger->flow);
	uint64_t sequence;

	if (error->quoted >= pinger->wire->identity) {
		sequence = pinger->wire->identify(pinger);
		return flow_holds(&pinger->flow, sequence) ? sequence : 0;
	}
	return oldest < before ? oldest : 0;
}

static void settle_error(struct pinger *pinger, const struct icmp_error *error, uint64_t before)
{
	uint64_t sequence = sequence_of(pinger, error, before);
	bool refused = error->port_unreachable && target_is_host(pinger->target, &error->from);
	const char *why = refused ? REFUSED : error->text;

	if (refused)
		pinger->flow.books->refused++;
	else
		pinger->flow.books->icmp_errors++;
	if (flow_awaits(&pinger->flow, sequence))
		lose(pinger, sequence, why);
	else
		ping_output_note(&pinger->output, why, 0); /* it was given up before that came */
}

/* No datagram from BEFORE on has been sent. Returns the number of errors. */
static unsigned read_errors(struct pinger *pinger, uint64_t before)
{
	struct icmp_error error;
	unsigned count = 0;

	while (count < ERRORS_MAX &&
	       icmp_error_read(pinger->link.fd, pinger->buffer, pinger->buffer_size, &error) == 0) {
		if (!error.remote)
			continue;
		settle_error(pinger, &error, before);
		count++;
	}
	return count;
}

/* False: there is nothing more to read. */
static bool lose_connection(struct pinger *pinger, int error)
{
	uint64_t now = clock_ns();

	pinger->reception = (struct reception){.time = now, .ttl = -1};
	link_lost(&pinger->link, error, now);
	return false;
}

/* True when it is worth another try: the error of a datagram is reported only once. */
static bool fail_receive(struct pinger *pinger, int error)
{
	if (error == EAGAIN || error == EINTR)
		return false;
	if (!pinger->target->datagram)
		return lose_connection(pinger, error);
	if (!has_error_queue(pinger) && flow_waiting(&pinger->flow) > 0)
		lose(pinger, flow_oldest(&pinger->flow), strerror(error));
	return true;
}

/* False when nothing more can be read now. */
static bool read_some(struct pinger *pinger)
{
	ssize_t length =
		receive(&pinger->receiver, pinger->buffer, pinger->buffer_size, &pinger->reception);

	if (length < 0)
		return fail_receive(pinger, errno);
	if (pinger->target->datagram) {
		take_datagram(pinger, (size_t)length);
		return true;
	}
	if (length == 0)
		return lose_connection(pinger, 0);
	pinger->last_heard = pinger->reception.time;
	link_feed(&pinger->link, pinger->buffer, (size_t)length);
	return true;
}

/* Of what was read last, which is an error if it has no time. */
static bool reads_on(const struct pinger *pinger, uint64_t until, unsigned *errors,
		     unsigned *unstamped)
{
	if (pinger->reception.time == 0)
		return ++*errors < ERRORS_MAX; /* it may not go away */
	return pinger->reception.time <= until || (pinger->woken != 0 && ++*unstamped < WAITED_MAX);
}

void ping_read(struct pinger *pinger, uint64_t until)
{
	unsigned errors = 0, unstamped = 0;

	if (pinger->link.fd < 0)
		return;
	pinger->woken = stopped_until(&pinger->flow, until);
	do
		pinger->reception.time = 0;
	while (read_some(pinger) && reads_on(pinger, until, &errors, &unstamped));
	pinger->woken = 0;
	if (has_error_queue(pinger))
		(void)read_errors(pinger, flow_next(&pinger->flow));
}

void ping_flush(struct pinger *pinger)
{
	(void)link_flush(&pinger->link, pinger->buffer, pinger->buffer_size);
}

void ping_end_silent(struct pinger *pinger, uint64_t now)
{
	if (!pinger->target->datagram && pinger->link.fd >= 0 &&
	    pinger->last_heard + pinger->flow.timeout <= now)
		link_give_up(&pinger->link, now);
}

/* The error of an earlier datagram is reported by the next call, which is then repeated. */
static void send_datagram(struct pinger *pinger, uint64_t sequence)
{
	struct probe probe = flow_probe(&pinger->flow, sequence);
	unsigned attempts = 3;
	int error;

	do {
		pinger->wire->write(pinger, &probe);
		if (send(pinger->link.fd, pinger->buffer, pinger->flow.size, MSG_NOSIGNAL) >= 0)
			return;
		error = errno;
	} while (has_error_queue(pinger) && read_errors(pinger, sequence) > 0 && --attempts > 0);
	if (error == ECONNREFUSED)
		pinger->flow.books->refused++;
	lose(pinger, sequence, error == ECONNREFUSED ? REFUSED : strerror(error));
}

/* Of several addresses that are all down, any may come up first. */
static void connect_again(struct pinger *pinger, uint64_t now)
{
	struct target *target = pinger->target;

	if (!pinger->link.was_open && !link_is_connecting(&pinger->link) && pinger->fired > 1) {
		target->chosen = (target->chosen + 1) % target->count;
		address_format(&target->candidates[target->chosen], target->text);
	}
	link_connect(&pinger->link, now);
}

/* A probe waits for the connection until the next one is due. */
static void send_stream(struct pinger *pinger)
{
	uint64_t now = clock_ns();

	if (pinger->link.fd < 0)
		link_lose_waiting(&pinger->link, "not connected");
	(void)flow_send(&pinger->flow, now);
	if (pinger->link.fd >= 0)
		ping_flush(pinger);
	else
		connect_again(pinger, now);
}

/* Each probe has to be settled before its place is taken. */
static void make_room(struct pinger *pinger)
{
	while (flow_room(&pinger->flow) == 0)
		lose(pinger, flow_oldest(&pinger->flow), "too many outstanding");
}

void ping_send(struct pinger *pinger)
{
	make_room(pinger);
	if (pinger->target->datagram)
		send_datagram(pinger, flow_send(&pinger->flow, clock_ns()));
	else
		send_stream(pinger);
}
