/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A socket as one worker serves it: connections or datagrams come in here. Made by control, so that
 * a plan that lacks memory fails before anything has changed; started and stopped by its worker.
 * Holds its socket and its place in a service.
 *
 * Of the workers that share a listening socket one at a time watches it, so that a connection wakes
 * one thread. It passes the watch on when another one has fewer connections.
 */

#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/lists.h"
#include "echod/sockets/listen_socket.h"

struct loop;
struct protocol;
struct service;

struct endpoint {
	LIST_ENTRY(endpoint) link;
	struct event event;
	struct listen_socket *socket;
	const struct protocol *protocol;
	struct service *service;
	struct event resume;   /* ends a pause */
	int64_t pause_ms;      /* how long the last pause was; 0: what comes in can be taken */
	int64_t failing_since; /* datagrams, while pause_ms is not 0 (clock_ms) */
	int64_t message_cost;  /* datagrams: what one message lately cost; 0: unknown */
	unsigned round;	       /* datagrams: the last one it took part in (turn.h) */
	unsigned share_step;   /* workers this far apart share the socket; 0: none do */
	unsigned needs;	       /* UDP: what its socket delivers (udp_control.h), once adapted */
	bool adapted;
	bool paused;
	bool deaf; /* datagrams: has failed to receive for too long to be a passing failure */
};

/* NULL when there is no memory. Not started yet: SERVICE is only noted. */
struct endpoint *endpoint_new(struct listen_socket *socket, const struct protocol *protocol,
			      struct service *service) WARN_UNUSED;
void endpoint_free(struct endpoint *endpoint);

/* Serves for its service on this loop, from now on or as soon as there is memory for it. */
void endpoint_start(struct endpoint *endpoint, struct loop *loop);

/* The settings of its service are new, or it has another service: its socket follows them. */
void endpoint_adapt(struct endpoint *endpoint);

/*
 * Leaves the socket alone for 0.1 to 0.8 seconds, longer each time: taking from it has just failed
 * and would fail again. A success sets pause_ms to 0.
 */
void endpoint_back_off(struct endpoint *endpoint);

/* Resources came free on this loop, or a watch was passed to it: paused endpoints try again now. */
void endpoints_resume(struct loop *loop);

/*
 * A connection was accepted from a socket that is shared: if another worker has fewer, that one
 * watches the socket from now on. True when it does.
 */
bool endpoint_pass_on(struct endpoint *endpoint);

/* Serves what has arrived, unless the socket was handed to us, then frees everything. */
void endpoint_stop(struct endpoint *endpoint);
void endpoints_stop(struct loop *loop); /* all of them: nothing new comes in from now on */
