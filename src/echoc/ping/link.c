/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The connection of a ping: sends probes, takes in replies, and over TCP connects again when it was
 * lost. Owns the socket and its two events.
 */

#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "echoc/ping/pinger.h"
#include "probe/icmp_error.h"

#define ERRORS_MAX 256	/* at once */
#define WAITED_MAX 4096 /* messages without a stamp that are read after a stop of ours */
#define REFUSED "refused: nothing listens there"

void ping_link_say(const struct pinger *pinger, const char *what, int error)
{
	char text[ICMP_ERROR_TEXT_MAX + 128];

	snprintf(text, sizeof(text), "%s%s%s", what, error != 0 ? ": " : "",
		 error != 0 ? strerror(error) : "");
	ping_output_note(&pinger->output, text);
}

void ping_link_close(struct pinger *pinger)
{
	if (pinger->readable)
		event_free(pinger->readable);
	if (pinger->writable)
		event_free(pinger->writable);
	pinger->readable = NULL;
	pinger->writable = NULL;
	if (pinger->fd >= 0)
		close(pinger->fd);
	pinger->fd = -1;
}

void ping_link_lose_waiting(struct pinger *pinger, const char *why)
{
	while (flow_waiting(&pinger->flow) > 0)
		pinger_settle_lost(pinger, flow_oldest(&pinger->flow), why);
}

/* The other side ended it: what has come in part is cut, as there is no more to come. */
static void settle_partial(struct pinger *pinger)
{
	uint64_t sequence = pinger->stream.sequence;
	struct finding finding;
	size_t bytes = stream_partial(&pinger->stream, sequence, &finding);

	if (bytes > 0 && flow_awaits(&pinger->flow, sequence))
		pinger_settle_reply(pinger, sequence, &finding, bytes);
}

/* What was on its way is gone with the connection. */
static void end_connection(struct pinger *pinger, const char *why)
{
	pinger->flow.books->unexpected += stream_unexpected(&pinger->stream) > 0;
	ping_link_close(pinger);
	ping_link_lose_waiting(pinger, why);
	stream_start(&pinger->stream, &pinger->flow); /* what was unexpected is counted */
}

/* At once when the connection had been of use, else with the next probe: no storm of connects. */
static void lose_connection(struct pinger *pinger, int error)
{
	uint64_t now = clock_ns();

	ping_link_say(pinger, "connection lost", error);
	pinger->reception = (struct reception){.time = now, .ttl = -1};
	settle_partial(pinger);
	end_connection(pinger, "connection lost");
	if (pinger->heard && !pinger_has_sent_all(pinger))
		ping_connect_begin(pinger, now);
}

/* With a reset: on a path that is cut, the kernel would go on for minutes with what is unsent. */
void ping_link_end_silent(struct pinger *pinger, uint64_t now)
{
	const struct linger at_once = {.l_onoff = 1};

	if (pinger->target->datagram || pinger->fd < 0 ||
	    pinger->last_heard + pinger->flow.timeout > now)
		return;
	ping_link_say(pinger, "no reply within the timeout: connection given up", 0);
	(void)setsockopt(pinger->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	end_connection(pinger, "connection given up");
	if (!pinger_has_sent_all(pinger))
		ping_connect_begin(pinger, now);
}

static void on_message(void *context, uint64_t sequence, const struct finding *finding,
		       size_t bytes)
{
	pinger_settle_reply(context, sequence, finding, bytes);
}

static void take_datagram(struct pinger *pinger, size_t length)
{
	struct finding finding;
	uint64_t sequence = flow_judge_datagram(&pinger->flow, pinger->buffer, length, &finding);

	if (sequence != 0) {
		pinger_settle_reply(pinger, sequence, &finding, length);
		return;
	}
	pinger->flow.books->unexpected++;
	ping_output_unexpected(&pinger->output, pinger->buffer, length);
}

/* Of an IP socket the error queue says more. */
static bool has_error_queue(const struct pinger *pinger)
{
	return pinger->target->datagram &&
	       pinger->target->candidates[pinger->target->chosen].sa.sa_family != AF_UNIX;
}

/* Whose datagram an error quotes, if it quotes enough, or else may be about. 0: nobody's. */
static uint64_t sequence_of(const struct pinger *pinger, const struct icmp_error *error,
			    uint64_t before)
{
	uint64_t oldest = flow_oldest_waiting(&pinger->flow);
	struct probe probe;

	if (error->quoted >= PROBE_HEADER_SIZE)
		return probe_read(pinger->buffer, &probe) && probe.run == pinger->flow.run &&
				       flow_holds(&pinger->flow, probe.sequence)
			       ? probe.sequence
			       : 0;
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
		pinger_settle_lost(pinger, sequence, why);
	else
		ping_link_say(pinger, why, 0); /* it was given up before that came */
}

/* Of the datagrams from BEFORE on none has been sent. How many errors there were. */
static unsigned read_errors(struct pinger *pinger, uint64_t before)
{
	struct icmp_error error;
	unsigned count = 0;

	while (count < ERRORS_MAX &&
	       icmp_error_read(pinger->fd, pinger->buffer, pinger->buffer_size, &error) == 0) {
		if (!error.remote)
			continue;
		settle_error(pinger, &error, before);
		count++;
	}
	return count;
}

/* True when it is worth another try: an error of a datagram that was sent is told only once. */
static bool fail_receive(struct pinger *pinger, int error)
{
	if (error == EAGAIN || error == EINTR)
		return false;
	if (!pinger->target->datagram) {
		lose_connection(pinger, error);
		return false;
	}
	if (!has_error_queue(pinger) && flow_waiting(&pinger->flow) > 0)
		pinger_settle_lost(pinger, flow_oldest(&pinger->flow), strerror(error));
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
	if (length == 0) {
		lose_connection(pinger, 0);
		return false;
	}
	pinger->heard = true;
	pinger->last_heard = pinger->reception.time;
	stream_feed(&pinger->stream, pinger->buffer, (size_t)length, on_message, pinger);
	return true;
}

/* A probe is still waited for that should have been given up long ago. */
static bool was_stopped(const struct pinger *pinger, uint64_t now)
{
	return now >= PING_BEHIND_MAX && flow_overdue(&pinger->flow, now - PING_BEHIND_MAX);
}

void ping_link_read(struct pinger *pinger, uint64_t until)
{
	unsigned unstamped = 0;

	if (pinger->fd < 0)
		return;
	pinger->woken = was_stopped(pinger, until) ? until : 0;
	do
		pinger->reception.time = 0;
	while (read_some(pinger) && (pinger->reception.time <= until ||
				     (pinger->woken != 0 && ++unstamped < WAITED_MAX)));
	pinger->woken = 0;
	if (has_error_queue(pinger))
		(void)read_errors(pinger, flow_next(&pinger->flow));
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	ping_link_read(context, clock_ns());
}

static void write_stream(struct pinger *pinger)
{
	writer_flush(&pinger->writer, &pinger->flow, pinger->fd, pinger->buffer,
		     pinger->buffer_size);
	if (writer_pending(&pinger->writer, &pinger->flow))
		event_add(pinger->writable, NULL);
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	write_stream(context);
}

int ping_link_open(struct pinger *pinger, int fd)
{
	pinger->fd = fd;
	pinger->heard = false;
	pinger->last_heard = clock_ns();
	receive_prepare(&pinger->receiver, fd);
	if (has_error_queue(pinger))
		icmp_error_prepare(fd);
	stream_start(&pinger->stream, &pinger->flow);
	writer_start(&pinger->writer, &pinger->flow);
	pinger->readable = event_new(pinger->base, fd, EV_READ | EV_PERSIST, on_readable, pinger);
	pinger->writable = event_new(pinger->base, fd, EV_WRITE, on_writable, pinger);
	if (pinger->readable && pinger->writable && event_add(pinger->readable, NULL) == 0)
		return 0;
	ping_link_close(pinger);
	return -1;
}

void ping_link_reconnected(struct pinger *pinger, int fd)
{
	ping_connect_clear(pinger);
	if (ping_link_open(pinger, fd) < 0) {
		ping_link_say(pinger, "cannot connect", ENOMEM);
		return;
	}
	pinger->flow.books->reconnects++;
	ping_link_say(pinger, "connected again", 0);
	write_stream(pinger);
}

/* An error that an earlier datagram met is reported by the next call, which then is repeated. */
static void send_datagram(struct pinger *pinger, uint64_t sequence)
{
	struct probe probe = flow_probe(&pinger->flow, sequence);
	unsigned attempts = 3;
	int error;

	do {
		probe_write(&probe, 0, pinger->buffer, pinger->flow.size);
		if (send(pinger->fd, pinger->buffer, pinger->flow.size, MSG_NOSIGNAL) >= 0)
			return;
		error = errno;
	} while (has_error_queue(pinger) && read_errors(pinger, sequence) > 0 && --attempts > 0);
	if (error == ECONNREFUSED)
		pinger->flow.books->refused++;
	pinger_settle_lost(pinger, sequence, error == ECONNREFUSED ? REFUSED : strerror(error));
}

/* A probe waits for the connection until the next one is due. */
static void send_stream(struct pinger *pinger)
{
	uint64_t now = clock_ns();

	if (pinger->fd < 0)
		ping_link_lose_waiting(pinger, "not connected");
	(void)flow_send(&pinger->flow, now);
	if (pinger->fd >= 0)
		write_stream(pinger);
	else
		ping_connect_begin(pinger, now);
}

void ping_link_send(struct pinger *pinger)
{
	if (pinger->target->datagram)
		send_datagram(pinger, flow_send(&pinger->flow, clock_ns()));
	else
		send_stream(pinger);
}
