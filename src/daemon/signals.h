/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The signals that control handles. They are blocked from the first line of main until the event
 * loop runs, so that none takes its default action meanwhile.
 */

#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>

#include "base/compiler.h"

enum { SIGNAL_COUNT = 4 };

void signals_block(void);

/* Unblocks also those that were blocked when this program was started. */
void signals_unblock(void);

/* From here on, BASE calls CALLBACK with the number of each. -1: no memory. */
int signals_attach(struct event events[static SIGNAL_COUNT], struct event_base *base,
		   void (*callback)(int number, short what, void *arg), void *arg) WARN_UNUSED;
/* EVENTS may be zeros. */
void signals_detach(struct event events[static SIGNAL_COUNT]);

/* Whether SIGTERM or SIGINT is pending. */
bool signals_stop_pending(void);
