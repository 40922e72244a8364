/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Permanently switches to another user. Called once, after the sockets are open and before any
 * thread is started.
 */

#pragma once

#include "base/compiler.h"
#include "base/reason.h"

/*
 * As root: switches to USER, drops all other groups, all capabilities and the means to regain them,
 * and verifies that. Not as root: logs a warning unless the process runs as USER already. If USER
 * is "", only logs a notice if the process runs as root.
 */
int privileges_drop(const char *user, struct reason *reason) WARN_UNUSED;
