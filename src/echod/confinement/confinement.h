/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What echod gives up when it has started, so that an attacker who takes it over gains little:
 * files that it does not need, and system calls. `sandbox` says how strictly. Owns nothing.
 */

#pragma once

#include "base/compiler.h"
#include "base/reason.h"
#include "daemon/sandbox/sandbox.h"

struct config;

/*
 * Before the first thread starts: from now on only the directories of FILE and of what CONFIG
 * names can be used. -1 where that is wanted at any price and cannot be had.
 */
int confine_files(const struct config *config, const char *file, struct reason *reason) WARN_UNUSED;

/*
 * The calling thread may now only serve, or as control also reload and stop. BELL is rung when any
 * thread was refused a call; confinement_report() writes about the first.
 */
int confine_worker(enum sandbox sandbox, struct reason *reason) WARN_UNUSED;
int confine_control(enum sandbox sandbox, int bell, struct reason *reason) WARN_UNUSED;
void confinement_report(void);

/* For the end: BELL is not rung any more. */
void confinement_end(void);
