/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How often the loop looks for events. With thousands of probes a second, one wake-up for each
 * costs more than the probe: what is due and what has arrived within a millisecond can share one,
 * since the kernel notes when a reply arrived.
 */

#pragma once

#include <stdbool.h>

struct event_base;

/*
 * Runs BASE until a callback breaks out of it, with a pause of a millisecond after each turn at
 * which MAY_PAUSE allows it. -1: it cannot wait for events.
 */
int turns_run(struct event_base *base, bool (*may_pause)(void *context), void *context);
