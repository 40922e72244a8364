/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * INT and TERM in the modes that end with a summary.
 */

#pragma once

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

/*
 * A second signal within 200 ms is the first one again: timeout(1) sends two at once, and a key
 * that is held down repeats. STOPPED is when the first came, 0 if none did.
 */
static inline bool signal_is_repeated(uint64_t stopped, uint64_t now)
{
	return stopped != 0 && now - stopped < 200 * NS_PER_MS;
}

/* After the summary a late signal must not change the exit status. */
static inline void signals_block(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGQUIT);
	sigprocmask(SIG_BLOCK, &set, NULL);
}
