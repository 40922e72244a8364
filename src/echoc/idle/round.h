/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Several flows at once, each silent for a different time, and one that is never silent, so that a
 * path that is down is not mistaken for one that forgets. Owns its flows while it runs.
 */

#pragma once

#include "base/compiler.h"
#include "base/reason.h"
#include "echoc/command/arguments.h"
#include "echoc/idle/silent_flow.h"
#include "probe/target.h"

struct round {
	const struct silent_form *form;
	const struct target *target;
	uint64_t timeout_ms; /* to connect */
	/* Called as each is done, in any order. */
	void (*done)(void *context, const struct silent_flow *flow);
	void *context;
};

/*
 * Ends with the first flow that is forgotten, as the others are silent for longer, or when a signal
 * comes.
 */
int round_run(const struct round *round, const uint64_t *waits, size_t count,
	      struct reason *reason) WARN_UNUSED;
