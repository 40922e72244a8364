/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What the control thread does: it handles signals and the workers' answers. Called by server.c. */

#pragma once

#include "base/compiler.h"

struct server;

/* Adds the events that control lives on; -1 when out of memory. */
int control_init(struct server *server) WARN_UNUSED;
void control_clear(struct server *server);

/* Waits for the first answer of all workers, then announces that we serve. */
void control_start(struct server *server);
