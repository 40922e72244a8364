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

#define READS_MAX 256 /* at a time: a peer that floods must not hold up the others */
#define SEND_ATTEMPTS 2

static void take_datagram(struct watch *watch, size_t length)
{
	struct finding finding;
	uint64_t sequence =
		flow_judge_datagram(&watch->flow, watch->shared->buffer, length, &finding);

	if (sequence != 0)
		watch_settle_reply(watch, sequence, &finding, length);
}

static bool lose_connection(struct watch *watch, int error)
{
	watch->reception = (struct reception){.time = clock_ns(), .ttl = -1};
	link_lost(&watch->link, error, watch->reception.time);
	return false;
}

/* A port that refuses is an error once for each probe: what waits is given up in its time. */
static bool fail_receive(struct watch *watch, int error)
{
	if (error == EAGAIN || error == EINTR)
		return false;
	return watch->target.datagram || lose_connection(watch, error);
}

/* False when nothing more can be read now. */
static bool read_some(struct watch *watch)
{
	struct watching *shared = watch->shared;
	ssize_t length =
		receive(&watch->receiver, shared->buffer, shared->buffer_size, &watch->reception);

	if (length < 0)
		return fail_receive(watch, errno);
	if (watch->target.datagram) {
		take_datagram(watch, (size_t)length);
		return true;
	}
	if (length == 0)
		return lose_connection(watch, 0);
	watch->heard = watch->reception.time;
	link_feed(&watch->link, shared->buffer, (size_t)length);
	return watch->link.fd >= 0;
}

static void read_all(struct watch *watch)
{
	unsigned reads = 0;

	while (watch->link.fd >= 0 && ++reads <= READS_MAX && read_some(watch))
		;
}

static void on_readable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	read_all(context);
}

static void flush(struct watch *watch)
{
	struct watching *shared = watch->shared;

	(void)link_flush(&watch->link, shared->buffer, shared->buffer_size);
}

static void on_writable(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	flush(context);
}

static void prepare(struct watch *watch)
{
	watch->heard = clock_ns();
	watch->was_connected = true;
	receive_prepare(&watch->receiver, watch->link.fd);
}

static void on_connected(void *context)
{
	struct watch *watch = context;

	watch->counts.reconnects += watch->was_connected;
	prepare(watch);
	flush(watch);
}

static void on_note(void *context, const char *what, int error)
{
	const struct watch *watch = context;

	log_debug("target %s: %s%s%s", watch->settings->name, what, error != 0 ? ": " : "",
		  error != 0 ? strerror(error) : "");
}

const struct link_user watch_link_user = {
	.readable = on_readable,
	.writable = on_writable,
	.reconnected = on_connected,
	.reply = watch_settle_reply,
	.lost = watch_settle_lost,
	.note = on_note,
};

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
		link_lose_waiting(&watch->link, "the address has changed");
		link_stop_connecting(&watch->link);
		link_close(&watch->link);
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

/* The next address of several, as long as none has answered. */
static void choose_another(struct watch *watch)
{
	struct target *target = &watch->target;

	if (watch->replied_at != 0 || watch->counts.lost == 0 || target->count < 2 ||
	    flow_waiting(&watch->flow) > 0 || link_is_connecting(&watch->link))
		return;
	link_close(&watch->link);
	target->chosen = (target->chosen + 1) % target->count;
}

static void probe_stream(struct watch *watch, uint64_t now)
{
	if (watch->link.fd < 0)
		link_lose_waiting(&watch->link, "not connected");
	choose_another(watch);
	(void)flow_send(&watch->flow, now);
	watch->counts.sent++;
	if (watch->link.fd >= 0) {
		flush(watch);
		return;
	}
	link_connect(&watch->link, now);
}

/* Returns 0 or an errno. */
static int open_datagram(struct watch *watch)
{
	int fd;

	if (watch->link.fd >= 0)
		return 0;
	fd = target_begin(&watch->target);
	if (fd < 0)
		return errno;
	if (link_open(&watch->link, fd) < 0)
		return ENOMEM;
	prepare(watch);
	return 0;
}

/* The first of two errors may be that of an earlier datagram. Returns 0 or an errno. */
static int send_datagram(const struct watch *watch, uint64_t sequence)
{
	const struct probe probe = flow_probe(&watch->flow, sequence);
	unsigned char *buffer = watch->shared->buffer;
	size_t size = watch->flow.size;

	probe_write(&probe, 0, buffer, size);
	for (int attempt = 0; attempt < SEND_ATTEMPTS; attempt++) {
		if (send(watch->link.fd, buffer, size, MSG_NOSIGNAL) >= 0)
			return 0;
	}
	return errno;
}

static void probe_datagram(struct watch *watch, uint64_t now)
{
	uint64_t sequence;
	int error;

	choose_another(watch);
	error = open_datagram(watch);
	sequence = flow_send(&watch->flow, now);
	watch->counts.sent++;
	if (error == 0)
		error = send_datagram(watch, sequence);
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
	read_all(watch);
	if (!flow_overdue(&watch->flow, now))
		return;
	do
		watch_settle_lost(watch, flow_oldest(&watch->flow), "timeout");
	while (flow_overdue(&watch->flow, now));
	if (!watch->target.datagram && watch->link.fd >= 0 &&
	    watch->heard + watch->flow.timeout <= now)
		link_give_up(&watch->link, now);
}
