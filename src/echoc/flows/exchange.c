/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What one flow sends and receives. Nothing here allocates. Owns nothing; flows.c calls it.
 */

#include "config.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echoc/flows/flow_set.h"

#define READS_MAX 64 /* at once, so that no flow delays the others */
#define SEND_ATTEMPTS 3
#define RETRANSMISSION (180 * NS_PER_MS) /* Linux waits 200 ms or more for it */
#define STOP_LEAST (250 * NS_PER_MS)	 /* between two turns: we were stopped, not just busy */

void flows_note_turn(struct flows *flows, uint64_t now)
{
	if (flows->turned != 0 && now > flows->turned + STOP_LEAST) {
		flows->held_up = now - flows->turned;
		flows->resumed = now;
	}
	if (now > flows->turned)
		flows->turned = now;
}

/* What waited while we were stopped may have come in time: nobody knows, but for datagrams. */
static uint64_t patience(const struct flows *flows, uint64_t now)
{
	uint64_t timeout = flows_timeout(flows);

	if (flows->resumed == 0 || now > flows->resumed + timeout)
		return timeout;
	return timeout + flows->held_up;
}

void source_port_prepare(struct source_port *port)
{
	port->last_heard = clock_ns();
	receive_prepare(&port->receiver, port->link.fd);
	if (port->target.datagram)
		icmp_error_prepare(port->link.fd);
}

/* What was lost on either way shows only in that it was sent again, if we did not hold it up. */
static void note_delay(struct source_port *port, uint64_t rtt)
{
	const struct flows *flows = port->flows;

	if (port->least_rtt == 0 || rtt < port->least_rtt)
		port->least_rtt = rtt;
	if (rtt > port->least_rtt + RETRANSMISSION &&
	    (flows->resumed == 0 || port->reception.time > flows->resumed + flows_timeout(flows)))
		port->delayed++;
}

static void on_reply(void *context, uint64_t sequence, const struct finding *finding, size_t bytes)
{
	struct source_port *port = context;
	const struct reception *reception = &port->reception;
	uint64_t rtt;

	port->flow.timeout = port->target.datagram && reception->by_kernel
				     ? flows_timeout(port->flows)
				     : patience(port->flows, reception->time);
	if (flow_reply(&port->flow, sequence, finding, bytes, reception->time, &rtt) ==
		    FATE_RECEIVED &&
	    !port->target.datagram)
		note_delay(port, rtt);
}

static void note_ttl(struct source_port *port, int ttl)
{
	if (ttl <= 0 || ttl > UINT8_MAX)
		return;
	if (port->ttl_least == 0 || ttl < port->ttl_least)
		port->ttl_least = (uint8_t)ttl;
	if (ttl > port->ttl_most)
		port->ttl_most = (uint8_t)ttl;
}

static void take_datagram(struct source_port *port, size_t length)
{
	struct finding finding;
	uint64_t sequence = flow_judge_datagram(&port->flow, port->flows->buffer, length, &finding);

	if (sequence == 0) {
		port->books.unexpected++;
		return;
	}
	note_ttl(port, port->reception.ttl);
	on_reply(port, sequence, &finding, length);
}

/* Until they are read the socket stays ready. */
static void read_errors(struct source_port *port)
{
	struct flows *flows = port->flows;
	struct icmp_error error;

	for (unsigned i = 0; i < READS_MAX && icmp_error_read(port->link.fd, flows->buffer,
							      flows->buffer_size, &error) == 0;
	     i++) {
		if (!error.remote)
			continue;
		if (error.port_unreachable && target_is_host(&port->target, &error.from)) {
			port->books.refused++;
			continue;
		}
		port->books.icmp_errors++;
		memcpy(flows->icmp, error.text, sizeof(flows->icmp));
	}
}

/* False when nothing more can be read now. */
static bool take_stream(struct source_port *port, ssize_t length)
{
	if (length <= 0) {
		port->reception.time = clock_ns();
		link_lost(&port->link, length < 0 ? errno : 0, port->reception.time);
		return false;
	}
	port->last_heard = port->reception.time;
	link_feed(&port->link, port->flows->buffer, (size_t)length);
	return true;
}

/* The error of a datagram is reported once, before what else there is. */
static bool read_some(struct source_port *port)
{
	const struct flows *flows = port->flows;
	ssize_t length =
		receive(&port->receiver, flows->buffer, flows->buffer_size, &port->reception);

	if (length < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (!port->target.datagram)
		return take_stream(port, length);
	if (length >= 0)
		take_datagram(port, (size_t)length);
	return true;
}

static void read_all(struct source_port *port)
{
	unsigned reads = 0;

	if (port->link.fd < 0)
		return;
	while (reads < READS_MAX && read_some(port))
		reads++;
	if (port->target.datagram)
		read_errors(port);
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct source_port *port = context;

	flows_note_turn(port->flows, clock_ns());
	read_all(port);
}

static void flush(struct source_port *port)
{
	(void)link_flush(&port->link, port->flows->buffer, port->flows->buffer_size);
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	flush(context);
}

static void on_connected(void *context)
{
	source_port_prepare(context);
	flush(context);
}

static void on_note(void *context, const char *what UNUSED, int error)
{
	struct source_port *port = context;

	port->connect_error = error;
}

/* No connection could even be tried. */
static bool is_own(int error)
{
	return error == EADDRINUSE || error == EADDRNOTAVAIL || error == EMFILE ||
	       error == ENFILE || error == ENOMEM || error == ENOBUFS || error == EACCES ||
	       error == EPERM;
}

static void on_lost(void *context, uint64_t sequence, const char *why UNUSED)
{
	struct source_port *port = context;

	flow_lose(&port->flow, sequence);
	if (port->link.fd >= 0 || !is_own(port->connect_error))
		return;
	port->flows->send_error = port->connect_error;
	port->books.sent--;
	port->books.lost--;
	port->books.unsent++;
}

const struct link_user flows_link_user = {
	.readable = on_readable,
	.writable = on_writable,
	.reconnected = on_connected,
	.reply = on_reply,
	.lost = on_lost,
	.note = on_note,
};

/* What we could not send is no loss of the network's. */
static void send_datagram(struct source_port *port, uint64_t now)
{
	struct flows *flows = port->flows;
	struct probe probe = {port->flow.run, flow_next(&port->flow), now};

	for (unsigned i = 0; i < SEND_ATTEMPTS; i++) {
		probe_write(&probe, 0, flows->buffer, port->flow.size);
		if (send(port->link.fd, flows->buffer, port->flow.size, MSG_NOSIGNAL) >= 0) {
			(void)flow_send(&port->flow, now);
			return;
		}
		flows->send_error = errno;
		read_errors(port); /* it may have been an earlier one's */
	}
	port->books.unsent++;
}

/* Without a connection it waits for one, until the timeout. */
static void send_stream(struct source_port *port, uint64_t now)
{
	(void)flow_send(&port->flow, now);
	if (port->link.fd >= 0)
		flush(port);
	else
		link_connect(&port->link, now);
}

void source_port_send(struct source_port *port, uint64_t now)
{
	if (port->target.datagram)
		send_datagram(port, now);
	else
		send_stream(port, now);
}

/* Replies may wait in the socket after a stop of ours: they come first. */
void source_port_tick(struct source_port *port, uint64_t now)
{
	port->flow.timeout = patience(port->flows, now);
	if (!flow_overdue(&port->flow, now))
		return;
	read_all(port);
	port->flow.timeout = patience(port->flows, now);
	if (!flow_overdue(&port->flow, now))
		return;
	do
		on_lost(port, flow_oldest(&port->flow), "timeout");
	while (flow_overdue(&port->flow, now));
	if (!port->target.datagram && port->link.fd >= 0 &&
	    port->last_heard + port->flow.timeout <= now)
		link_give_up(&port->link, now);
}
