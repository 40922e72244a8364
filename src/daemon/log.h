/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The log: one line a call to standard error, in the form that journald or a person wants, thread
 * safe, and never waiting for whoever reads it. Owned by the process; everyone calls it.
 */

#ifndef DAEMON_LOG_H
#define DAEMON_LOG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG };

extern const char *const log_level_names[]; /* indexed by enum log_level, then NULL */

/* Finds out whether journald reads standard error. Call once, before any other thread. */
void log_open(void);

/* True when journald reads us: lines then carry <N> instead of a time. */
bool log_is_journal(void);

void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* Written whatever the level in force is: test log_enabled first, as the macros below do. */
void log_write(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_at(level, ...)                                                                         \
	do {                                                                                       \
		if (log_enabled(level))                                                            \
			log_write(level, __VA_ARGS__);                                             \
	} while (0)
#define log_error(...) log_write(LEVEL_ERROR, __VA_ARGS__) /* at every level */
#define log_warning(...) log_at(LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_at(LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_at(LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LEVEL_DEBUG, __VA_ARGS__)

/* libevent's own messages go through here once this was called. */
void log_adopt_libevent(void);

/*
 * A bound on lines that a remote can trigger: at most BURST (below 65536) in each PERIOD, shared by
 * all threads without a lock. Zero the rest.
 */
struct log_throttle {
	int64_t period_ms;
	unsigned burst;
	_Atomic uint64_t window; /* when it began, and how many lines have passed in it */
	_Atomic unsigned suppressed;
};

/*
 * True when a line may be written now. *suppressed is how many were held back since the last one
 * that was let through; the caller says so when it is not 0.
 */
bool log_throttle_pass(struct log_throttle *throttle, int64_t now_ms, unsigned *suppressed);

/* True when the period is over; *suppressed is how many were held back and are not told yet. */
bool log_throttle_over(struct log_throttle *throttle, int64_t now_ms, unsigned *suppressed);

#endif
