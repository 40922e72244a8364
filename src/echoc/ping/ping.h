/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * ping: a probe each interval over one connection or socket.
 */

#ifndef ECHOC_PING_PING_H
#define ECHOC_PING_PING_H

#include "echoc/command/arguments.h"
#include "probe/target.h"

enum echoc_status ping_run(const struct arguments *arguments, struct target *target);

#endif
