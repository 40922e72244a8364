/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The signals that control serves, and the time before it can: they stay pending from the first
 * line of main until its event loop runs, so that none takes its default action meanwhile.
 */

#ifndef DAEMON_SIGNALS_H
#define DAEMON_SIGNALS_H

#include <stdbool.h>

enum { SIGNAL_COUNT = 4 };

extern const int signals_served[SIGNAL_COUNT];

void signals_block(void);

/* Also those that were blocked when this program was executed. */
void signals_unblock(void);

/* Whether SIGTERM or SIGINT is among those that wait. */
bool signals_stop_pending(void);

#endif
