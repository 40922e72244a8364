/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Becoming somebody else for good. Called once, after the sockets are open and before any thread.
 */

#ifndef DAEMON_PRIVILEGES_H
#define DAEMON_PRIVILEGES_H

#include "base/compiler.h"
#include "base/reason.h"

/*
 * As root: become USER, keep no group, no capability and no way back, and verify it. As somebody
 * else: one warning unless we are that user already. USER "" changes nothing but says so when root
 * goes on serving.
 */
int privileges_drop(const char *user, struct reason *reason) WARN_UNUSED;

#endif
