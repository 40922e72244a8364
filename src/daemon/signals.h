/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The signals that control handles. They are blocked from the first line of main until the event
 * loop runs, so that none takes its default action meanwhile.
 */

#pragma once

#include <stdbool.h>

enum { SIGNAL_COUNT = 4 };

extern const int signals_served[SIGNAL_COUNT];

void signals_block(void);

/* Unblocks also those that were blocked when this program was started. */
void signals_unblock(void);

/* Whether SIGTERM or SIGINT is pending. */
bool signals_stop_pending(void);
