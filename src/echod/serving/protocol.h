/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What serving a kind of socket means. The table of all kinds is in worker/protocols.c; endpoint.c
 * calls what is in it.
 */

#pragma once

#include <event2/event.h>
#include <stdbool.h>

struct endpoint;

struct protocol {
	event_callback_fn ready; /* something has come in; ARG is the endpoint */

	/* Before a socket of our own is closed: serves what waits there, in bounded time. */
	void (*rest)(struct endpoint *endpoint);
	void (*end)(struct endpoint *endpoint); /* it is no longer served; may be NULL */

	/* Adapts the socket to the settings of its service, which are new; may be NULL. */
	void (*adapt)(struct endpoint *endpoint);

	bool only_timer_resumes; /* what makes it pause does not come free with a connection */
	bool inherits_nothing;	 /* an accepted connection lacks what was set on its listener */
};
