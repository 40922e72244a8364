/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * INT and TERM, which end every mode with a summary. ping, bench and flows have an event loop that
 * receives them; signals.c does it for the modes that wait by themselves.
 */

#pragma once

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/reason.h"

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
	sigset_t late;

	sigemptyset(&late);
	sigaddset(&late, SIGINT);
	sigaddset(&late, SIGTERM);
	sigaddset(&late, SIGQUIT);
	sigprocmask(SIG_BLOCK, &late, NULL);
}

/* From now on they are counted instead of ending the program. */
int signals_catch(struct reason *reason) WARN_UNUSED;

/* How many came, without repeated ones. */
unsigned signals_caught(void);

/* As target_wait(), but one that comes ends the wait: 0. */
int signals_wait(int fd, short events, uint64_t deadline);

/* For poll(2), which one that comes shall end. */
struct pollfd signals_poll(void);
