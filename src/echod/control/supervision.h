/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the service manager hears of us: readiness, the status line, the watchdog's keep-alive. */

#pragma once

#include "base/compiler.h"

struct server;

/* Adds the timers; -1 when out of memory. */
int supervision_init(struct server *server) WARN_UNUSED;

/* At the end of the start and of each reload, whether it succeeded or failed. */
void supervision_ready(struct server *server);
