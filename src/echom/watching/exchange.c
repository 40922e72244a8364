/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See exchange.h. A datagram socket is connected, so that it takes replies only from the address
 * that was asked. Owns nothing.
 */

#include "config.h"

#include "echom/watching/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "echom/watching/settle.h"
#include "echom/watching/watched.h"
#include "probe/stopped.h"

#define READS_MAX 256 /* at a time: a peer that floods must not hold up the others */
#define SEND_ATTEMPTS 2

static size_t number_of(const struct watch_port *port)
{
	return (size_t)(port - port->watch->ports);
}

static bool is_open(const struct watch *watch)
{
	return watch->ports[0].link.fd >= 0;
}

/* Said once: no probe will be answered as long as it does that. */
static void log_echo(const struct watch *watch)
{
	log_warning("target %s: returns requests unchanged: an echo server, not a STAMP reflector",
		    watch_name(watch->settings));
}

static uint64_t judge(struct watch_port *port, size_t length, struct finding *finding)
{
	struct watch *watch = port->watch;
	const struct arrival arrival = {.data = watch->shared->buffer,
					.length = length,
					.receiver = &port->receiver,
					.reception = &watch->reception};
	struct reflector *reflector = watch->reflector;
	bool was_echo;
	uint64_t sequence;

	if (!reflector)
		return flow_judge_datagram(&watch->flow, arrival.data, length, finding);
	was_echo = reflector->is_echo;
	sequence = reflector_judge(reflector, number_of(port), &watch->flow, &arrival, finding);
	if (reflector->is_echo && !was_echo && !watch->end)
		log_echo(watch);
	return sequence;
}

static void take_datagram(struct watch_port *port, size_t length)
{
	struct finding finding;
	uint64_t sequence = judge(port, length, &finding);

	if (sequence != 0)
		watch_settle_reply(port->watch, sequence, &finding, length);
}

static bool lose_connection(struct watch_port *port, int error)
{
	struct watch *watch = port->watch;

	watch->reception = (struct reception){.time = clock_ns(), .ttl = -1};
	link_lost(&port->link, error, watch->reception.time);
	return false;
}

/* A port that refuses is an error once for each probe: what waits is given up in its time. */
static bool fail_receive(struct watch_port *port, int error)
{
	if (error == EAGAIN || error == EINTR)
		return false;
	if (!port->watch->target.datagram)
		return lose_connection(port, error);
	if (error == ECONNREFUSED)
		watch_settle_refusal(port->watch);
	return true;
}

/* False when nothing more can be read now. */
static bool read_some(struct watch_port *port)
{
	struct watch *watch = port->watch;
	struct watching *shared = watch->shared;
	ssize_t length =
		receive(&port->receiver, shared->buffer, shared->buffer_size, &watch->reception);

	if (length < 0)
		return fail_receive(port, errno);
	if (watch->target.datagram) {
		take_datagram(port, (size_t)length);
		return true;
	}
	if (length == 0)
		return lose_connection(port, 0);
	watch->heard = watch->reception.time;
	link_feed(&port->link, shared->buffer, (size_t)length);
	return port->link.fd >= 0;
}

static void read_all(struct watch_port *port)
{
	struct watch *watch = port->watch;
	unsigned reads = 0;

	watch->woken = stopped_until(&watch->flow, clock_ns());
	while (port->link.fd >= 0 && ++reads <= READS_MAX && read_some(port))
		;
	watch->woken = 0;
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	read_all(context);
}

static void flush(struct watch_port *port)
{
	struct watching *shared = port->watch->shared;

	(void)link_flush(&port->link, shared->buffer, shared->buffer_size);
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	flush(context);
}

static void prepare(struct watch_port *port)
{
	port->watch->heard = clock_ns();
	port->watch->was_connected = true;
	receive_prepare(&port->receiver, port->link.fd);
}

static void on_connected(void *context)
{
	struct watch_port *port = context;

	port->watch->counts.reconnects += port->watch->was_connected;
	prepare(port);
	flush(port);
}

static void on_reply(void *context, uint64_t sequence, const struct finding *finding, size_t bytes)
{
	const struct watch_port *port = context;

	watch_settle_reply(port->watch, sequence, finding, bytes);
}

static void on_lost(void *context, uint64_t sequence, const char *why)
{
	const struct watch_port *port = context;

	watch_settle_lost(port->watch, sequence, why);
}

static void on_note(void *context, const char *what, int error)
{
	const struct watch_port *port = context;

	log_debug("target %s: %s%s%s", watch_name(port->watch->settings), what,
		  error != 0 ? ": " : "", error != 0 ? strerror(error) : "");
}

const struct link_user watch_link_user = {
	.readable = on_readable,
	.writable = on_writable,
	.reconnected = on_connected,
	.reply = on_reply,
	.lost = on_lost,
	.note = on_note,
};

static void close_ports(struct watch *watch)
{
	for (size_t i = 0; i < watch->port_count; i++) {
		link_stop_connecting(&watch->ports[i].link);
		link_close(&watch->ports[i].link);
	}
}

/* Nothing waits at the old address, or has waited for long enough. */
static bool may_move(const struct watch *watch, uint64_t now)
{
	return flow_waiting(&watch->flow) == 0 || now - watch->found_at > watch->flow.timeout;
}

/* The address in use is still one of the name's. */
static bool keeps_address(struct watch *watch)
{
	const struct address *used = &watch->target.candidates[watch->target.chosen];

	for (size_t i = 0; watch->target.count > 0 && i < watch->found->count; i++) {
		if (!address_equal(used, &watch->found->candidates[i]))
			continue;
		watch->found->chosen = i;
		return true;
	}
	return false;
}

static void use_found(struct watch *watch, uint64_t now)
{
	bool keeps = keeps_address(watch);

	if (!keeps && !may_move(watch, now))
		return;
	if (!keeps) {
		link_lose_waiting(&watch->ports[0].link, "the address has changed");
		close_ports(watch);
		watch->lost_before = watch->counts.lost;
	}
	watch->target = *watch->found;
	free(watch->found);
	watch->found = NULL;
}

void watch_find(struct watch *watch, const struct target *target, uint64_t now)
{
	struct target *found = watch->found ? watch->found : malloc(sizeof(*found));

	if (!found)
		return; /* the next look may find it */
	if (!watch->found)
		watch->found_at = now; /* or another look every second would put it off for ever */
	*found = *target;
	found->name = watch->settings->address;
	watch->found = found;
}

/* The next address of several, once the latest has lost a probe, as long as none has answered. */
static void choose_another(struct watch *watch)
{
	struct target *target = &watch->target;

	if (watch->replied_at != 0 || watch->counts.lost == watch->lost_before ||
	    target->count < 2 || link_is_connecting(&watch->ports[0].link))
		return;
	link_lose_waiting(&watch->ports[0].link, "another address is tried");
	close_ports(watch);
	target->chosen = (target->chosen + 1) % target->count;
	watch->lost_before = watch->counts.lost;
}

static void probe_stream(struct watch *watch, uint64_t now)
{
	struct watch_port *port = &watch->ports[0];

	if (!is_open(watch))
		link_lose_waiting(&port->link, "not connected");
	choose_another(watch);
	(void)flow_send(&watch->flow, now);
	watch->counts.sent++;
	if (is_open(watch)) {
		flush(port);
		return;
	}
	link_connect(&port->link, now);
}

static int family_of(const struct watch *watch)
{
	return watch->target.candidates[watch->target.chosen].sa.sa_family;
}

/* Returns 0 or an errno. */
static int open_datagram(struct watch_port *port)
{
	int fd;

	if (port->link.fd >= 0)
		return 0;
	fd = target_begin(&port->watch->target);
	if (fd < 0)
		return errno;
	if (link_open(&port->link, fd) < 0)
		return ENOMEM;
	prepare(port);
	port->ttl = target_ttl(fd, family_of(port->watch));
	return 0;
}

static void write_probe(const struct watch *watch, uint64_t sequence)
{
	const struct probe probe = flow_probe(&watch->flow, sequence);
	unsigned char *buffer = watch->shared->buffer;

	if (watch->reflector)
		reflector_write(watch->reflector, watch_port_of(watch, sequence), &probe, buffer);
	else
		probe_write(&probe, 0, buffer, watch->flow.size);
}

/* The first of two errors may be that of an earlier datagram. Returns 0 or an errno. */
static int send_written(const struct watch_port *port)
{
	const struct watch *watch = port->watch;

	for (int attempt = 0; attempt < SEND_ATTEMPTS; attempt++) {
		if (send(port->link.fd, watch->shared->buffer, watch->flow.size, MSG_NOSIGNAL) >= 0)
			return 0;
	}
	return errno;
}

static int send_datagram(struct watch_port *port, uint64_t sequence)
{
	struct watch *watch = port->watch;
	bool lowers = port->ttl > 1 && hops_lowers(watch_number_of(watch, sequence));
	int family = family_of(watch), error;

	write_probe(watch, sequence);
	if (lowers && target_set_ttl(port->link.fd, family, port->ttl - 1) < 0)
		return errno;
	error = send_written(port);
	if (lowers && target_set_ttl(port->link.fd, family, port->ttl) < 0)
		port->ttl = 0; /* nothing is said of hops with one that is not known */
	return error;
}

static void probe_datagram(struct watch *watch, uint64_t now)
{
	struct watch_port *port = &watch->ports[watch_port_of(watch, flow_next(&watch->flow))];
	uint64_t sequence;
	int error;

	choose_another(watch);
	error = open_datagram(port);
	sequence = flow_send(&watch->flow, now);
	watch->counts.sent++;
	if (error == 0)
		error = send_datagram(port, sequence);
	if (error != 0)
		watch_settle_lost(watch, sequence, strerror(error));
}

/* Each probe has to be settled before its place is taken. */
static void make_room(struct watch *watch)
{
	while (flow_room(&watch->flow) == 0)
		watch_settle_lost(watch, flow_oldest(&watch->flow), "too many outstanding");
}

void watch_probe(struct watch *watch)
{
	uint64_t now = clock_ns();

	if (watch->found)
		use_found(watch, now);
	make_room(watch);
	if (watch->target.count > 0) {
		if (watch->target.datagram)
			probe_datagram(watch, now);
		else
			probe_stream(watch, now);
	} else if (watch->counts.resolve_failures > 0) {
		watch->counts.sent++;
		watch_settle_lost(watch, flow_send(&watch->flow, now), "no address");
	}
}

void watch_expire(struct watch *watch, uint64_t now)
{
	if (!flow_overdue(&watch->flow, now))
		return;
	for (size_t i = 0; i < watch->port_count; i++)
		read_all(&watch->ports[i]);
	if (!flow_overdue(&watch->flow, now))
		return;
	do
		watch_settle_lost(watch, flow_oldest(&watch->flow), "timeout");
	while (flow_overdue(&watch->flow, now));
	if (!watch->target.datagram && is_open(watch) && watch->heard + watch->flow.timeout <= now)
		link_give_up(&watch->ports[0].link, now);
}
