/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What the service manager hears of a running daemon: readiness, a status line, the watchdog's
 * keep-alive. The daemon owns the struct; its loop runs the timers.
 */

#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>

#include "base/compiler.h"

#define SUPERVISOR_STATUS_MAX 320

struct supervisor {
	bool reload_failed; /* the last one; the status line then begins with that */

	/* The rest is its own. */
	void (*status_due)(void *arg);
	void (*watchdog_due)(void *arg);
	void *arg;
	struct event status_timer;
	struct event watchdog_timer;
	char status[SUPERVISOR_STATUS_MAX]; /* as last sent */
};

/*
 * STATUS_DUE, every ten seconds, has to call supervisor_status; WATCHDOG_DUE, as often as the
 * manager wants, notify_watchdog if the daemon is well. Either at once or later. -1: no memory.
 */
int supervisor_init(struct supervisor *supervisor, struct event_base *base,
		    void (*status_due)(void *arg), void (*watchdog_due)(void *arg),
		    void *arg) WARN_UNUSED;

/* At the end of the start and of each reload, whether it succeeded or failed. */
void supervisor_ready(struct supervisor *supervisor, const char *status);

/* Sends the status line if it has changed. */
void supervisor_status(struct supervisor *supervisor, const char *status);
