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

#include "clock.h"
#include "pinger.h"

void ping_link_say(const struct pinger *pinger, const char *what, int error)
{
	char text[160];

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
	while (pinger->flow.window.waiting > 0)
		pinger_settle_lost(pinger, pinger->flow.window.oldest, why);
}

/* The other side ended it: what has come in part is cut, as there is no more to come. */
static void settle_partial(struct pinger *pinger)
{
	const struct window *window = &pinger->flow.window;
	uint64_t sequence = pinger->stream.sequence;
	struct finding finding;
	size_t bytes = stream_partial(&pinger->stream, sequence, &finding);

	if (bytes > 0 && window_holds(window, sequence) &&
	    window_state(window, sequence) == SLOT_WAITING)
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
	uint64_t now = clock_now();

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

/* True when it is worth another try: an error of a datagram that was sent is told only once. */
static bool fail_receive(struct pinger *pinger, int error)
{
	if (error == EAGAIN || error == EINTR)
		return false;
	if (!pinger->target->datagram) {
		lose_connection(pinger, error);
		return false;
	}
	if (error == ECONNREFUSED)
		pinger->flow.books->refused++;
	if (pinger->flow.window.waiting > 0)
		pinger_settle_lost(pinger, pinger->flow.window.oldest,
				   error == ECONNREFUSED ? "refused: nothing listens there"
							 : strerror(error));
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

void ping_link_read(struct pinger *pinger, uint64_t until)
{
	if (pinger->fd < 0)
		return;
	do
		pinger->reception.time = 0;
	while (read_some(pinger) && pinger->reception.time <= until);
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	ping_link_read(context, clock_now());
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
	pinger->last_heard = clock_now();
	receive_prepare(&pinger->receiver, fd);
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

/* An earlier datagram's refusal is reported by the next call, which then has to be repeated. */
static void send_datagram(struct pinger *pinger, uint64_t sequence)
{
	struct probe probe = flow_probe(&pinger->flow, sequence);
	unsigned attempts = 3;

	probe_write(&probe, 0, pinger->buffer, pinger->flow.size);
	while (send(pinger->fd, pinger->buffer, pinger->flow.size, MSG_NOSIGNAL) < 0) {
		int error = errno;

		if (error == ECONNREFUSED && --attempts > 0) {
			pinger->flow.books->refused++;
			if (pinger->flow.window.oldest < sequence)
				pinger_settle_lost(pinger, pinger->flow.window.oldest,
						   "refused: nothing listens there");
			continue;
		}
		pinger_settle_lost(pinger, sequence, strerror(error));
		return;
	}
}

/* A probe waits for the connection until the next one is due. */
static void send_stream(struct pinger *pinger)
{
	uint64_t now = clock_now();

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
		send_datagram(pinger, flow_send(&pinger->flow, clock_now()));
	else
		send_stream(pinger);
}
