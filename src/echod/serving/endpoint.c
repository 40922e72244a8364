/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See endpoint.h: starting and stopping, whatever comes in. */

#include "config.h"

#include "echod/serving/endpoint.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "echod/datagram/echo.h"
#include "echod/datagram/turn.h"
#include "echod/datagram/unixgram.h"
#include "echod/serving/loop.h"
#include "echod/serving/service.h"
#include "echod/stream/accept.h"

/* How soon after no memory was there to listen to a socket. */
#define RETRY_MS 500

/* How long what comes in is left alone when taking it has failed. */
#define PAUSE_MIN_MS 100
#define PAUSE_MAX_MS 800

/* How long what waits at a datagram socket is served at a stop, at most. */
#define REST_MS 100

struct intake *intake_new(struct listen_socket *socket, struct service *service)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (!intake)
		return NULL;
	intake->socket = listen_socket_hold(socket);
	intake->service = service;
	intake->early = socket->handed && socket->kind == SOCKET_TCP;
	return intake;
}

void intake_free(struct intake *intake)
{
	if (!intake)
		return;
	listen_socket_release(intake->socket);
	free(intake);
}

static event_callback_fn callback_for(enum socket_kind kind)
{
	switch (kind) {
	case SOCKET_UDP:
		return udp_echo_ready;
	case SOCKET_UNIXGRAM:
		return unixgram_echo_ready;
	default:
		return tcp_accept_ready;
	}
}

/* Not yet, or no longer, told to the loop; the timer will try again. */
static void wait_ms(struct intake *intake, int64_t ms)
{
	struct timeval tv = {.tv_usec = (suseconds_t)(ms * 1000)};

	/* Should there be no memory for that either, the next word from control tries again. */
	(void)event_add(&intake->resume, &tv);
}

static void resume(struct intake *intake)
{
	if (event_add(&intake->event, NULL) < 0) {
		wait_ms(intake, RETRY_MS);
		return;
	}
	event_del(&intake->resume);
	intake->paused = false;
	intake->service->loop->paused_intakes--;
}

static void on_resume(int fd UNUSED, short what UNUSED, void *arg)
{
	resume(arg);
}

/* What keeps datagrams from being received does not come free with a connection. */
static bool waits_for_the_timer(const struct intake *intake)
{
	return !socket_is_stream(intake->socket->kind) &&
	       event_pending(&intake->resume, EV_TIMEOUT, NULL);
}

void intakes_resume(struct loop *loop)
{
	struct intake *intake;

	LIST_FOREACH (intake, &loop->intakes, link) {
		if (intake->paused && !waits_for_the_timer(intake))
			resume(intake);
	}
}

void intake_back_off(struct intake *intake)
{
	intake->pause_ms = intake->pause_ms == 0 ? PAUSE_MIN_MS : intake->pause_ms * 2;
	if (intake->pause_ms > PAUSE_MAX_MS)
		intake->pause_ms = PAUSE_MAX_MS;
	event_del(&intake->event);
	intake->paused = true;
	intake->service->loop->paused_intakes++;
	wait_ms(intake, intake->pause_ms);
}

void intake_start(struct intake *intake, struct loop *loop)
{
	struct listen_socket *socket = intake->socket;

	event_assign(&intake->event, loop->base, socket->fd, EV_READ | EV_PERSIST,
		     callback_for(socket->kind), intake);
	event_assign(&intake->resume, loop->base, -1, 0, on_resume, intake);
	service_join(intake->service);
	LIST_INSERT_HEAD(&loop->intakes, intake, link);
	intake->paused = true;
	loop->paused_intakes++;
	resume(intake);
	if (intake->paused)
		log_error("no memory to serve a socket: trying again");
}

/* All of it, unless more comes than we can answer: a flood must not hold up the stop. */
static void serve_rest(struct intake *intake)
{
	struct pollfd ready = {.fd = intake->socket->fd, .events = POLLIN};
	int64_t begun = clock_ms();

	while (!intake->paused && poll(&ready, 1, 0) > 0 && clock_ms() - begun < REST_MS)
		callback_for(intake->socket->kind)(ready.fd, EV_READ, intake);
}

void intake_stop(struct intake *intake)
{
	const struct listen_socket *socket = intake->socket;
	struct service *service = intake->service;

	if (!socket->handed && socket_is_stream(socket->kind))
		tcp_accept_rest(intake);
	else if (!socket->handed)
		serve_rest(intake);
	event_del(&intake->event);
	event_del(&intake->resume);
	if (intake->paused)
		service->loop->paused_intakes--;
	if (!socket_is_stream(socket->kind))
		datagram_turn_end(intake);
	LIST_REMOVE(intake, link);
	intake_free(intake);
	service_leave(service);
}
