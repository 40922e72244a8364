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

static void say(const struct pinger *pinger, const char *what, int error)
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
	pinger->connecting = false;
}

static void try_connect(struct pinger *pinger)
{
	int fd = target_begin(pinger->target);

	if (fd < 0) {
		say(pinger, "cannot connect", errno);
		return;
	}
	if (ping_link_open(pinger, fd) < 0) {
		say(pinger, "cannot connect", ENOMEM);
		return;
	}
	pinger->connecting = true;
	pinger->begun = clock_now();
	event_add(pinger->writable, NULL);
}

/* What was on its way is gone with the connection: cut if some of it came, else lost. */
static void lose_all(struct pinger *pinger)
{
	struct window *window = &pinger->flow.window;

	while (window->waiting > 0) {
		uint64_t sequence = window->oldest;
		struct finding finding;
		size_t bytes = stream_partial(&pinger->stream, sequence, &finding);

		if (bytes > 0)
			pinger_settle_reply(pinger, sequence, &finding, bytes);
		else
			pinger_settle_lost(pinger, sequence, "connection lost");
	}
}

/* At once when the connection had been of use, else with the next probe: no storm of connects. */
static void lose_connection(struct pinger *pinger, int error)
{
	bool again = pinger->heard && !pinger->connecting && !pinger->stopping;

	say(pinger, pinger->connecting ? "cannot connect" : "connection lost", error);
	pinger->reception = (struct reception){.time = clock_now(), .ttl = -1};
	pinger->flow.books->unexpected += stream_unexpected(&pinger->stream) > 0;
	ping_link_close(pinger);
	lose_all(pinger);
	stream_start(&pinger->stream, &pinger->flow); /* what was unexpected is counted */
	if (again)
		try_connect(pinger);
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

static void fail_receive(struct pinger *pinger, int error)
{
	if (error == EAGAIN || error == EINTR)
		return;
	if (!pinger->target->datagram) {
		lose_connection(pinger, error);
		return;
	}
	if (error == ECONNREFUSED)
		pinger->flow.books->refused++;
	if (pinger->flow.window.waiting > 0)
		pinger_settle_lost(pinger, pinger->flow.window.oldest,
				   error == ECONNREFUSED ? "refused: nothing listens there"
							 : strerror(error));
}

static void on_readable(evutil_socket_t fd, short what UNUSED, void *context)
{
	struct pinger *pinger = context;
	ssize_t length = receive(fd, pinger->buffer, pinger->buffer_size, &pinger->reception);

	if (length < 0) {
		fail_receive(pinger, errno);
		return;
	}
	if (pinger->target->datagram) {
		take_datagram(pinger, (size_t)length);
		return;
	}
	if (length == 0) {
		lose_connection(pinger, 0);
		return;
	}
	pinger->heard = true;
	pinger->last_heard = pinger->reception.time;
	stream_feed(&pinger->stream, pinger->buffer, (size_t)length, on_message, pinger);
}

static void write_stream(struct pinger *pinger)
{
	writer_flush(&pinger->writer, &pinger->flow, pinger->fd, pinger->buffer,
		     pinger->buffer_size);
	if (writer_pending(&pinger->writer, &pinger->flow))
		event_add(pinger->writable, NULL);
}

static void on_writable(evutil_socket_t fd, short what UNUSED, void *context)
{
	struct pinger *pinger = context;

	if (pinger->connecting) {
		int error = target_result(fd);

		if (error != 0) {
			lose_connection(pinger, error);
			return;
		}
		pinger->connecting = false;
		pinger->flow.books->reconnects++;
		say(pinger, "connected again", 0);
		return;
	}
	write_stream(pinger);
}

int ping_link_open(struct pinger *pinger, int fd)
{
	pinger->fd = fd;
	pinger->heard = false;
	receive_prepare(fd);
	stream_start(&pinger->stream, &pinger->flow);
	writer_start(&pinger->writer, &pinger->flow);
	pinger->readable = event_new(pinger->base, fd, EV_READ | EV_PERSIST, on_readable, pinger);
	pinger->writable = event_new(pinger->base, fd, EV_WRITE, on_writable, pinger);
	if (pinger->readable && pinger->writable && event_add(pinger->readable, NULL) == 0)
		return 0;
	ping_link_close(pinger);
	return -1;
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

void ping_link_send(struct pinger *pinger)
{
	uint64_t sequence = flow_send(&pinger->flow, clock_now());

	if (pinger->target->datagram) {
		send_datagram(pinger, sequence);
		return;
	}
	if (pinger->fd >= 0 && !pinger->connecting) {
		write_stream(pinger);
		return;
	}
	pinger_settle_lost(pinger, sequence, "not connected");
	writer_start(&pinger->writer, &pinger->flow);
	stream_start(&pinger->stream, &pinger->flow);
	if (pinger->connecting && clock_now() - pinger->begun >= pinger->flow.timeout)
		lose_connection(pinger, ETIMEDOUT);
	if (pinger->fd < 0)
		try_connect(pinger);
}

bool ping_link_is_cut(const struct pinger *pinger, uint64_t sequence, uint64_t now,
		      struct finding *finding, size_t *bytes)
{
	uint64_t silence = pinger->arguments->timeout_ms * NS_PER_MS / 2;

	if (pinger->target->datagram || pinger->last_heard + silence > now)
		return false;
	*bytes = stream_partial(&pinger->stream, sequence, finding);
	return *bytes > 0;
}
