/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The log: each call writes one line to standard error, in the format of journald or with a time
 * stamp. Thread-safe; never waits for the reader. Owned by the process; called from everywhere.
 */

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_NOTICE, LEVEL_INFO, LEVEL_DEBUG };

extern const char *const log_level_names[]; /* indexed by enum log_level, then NULL */

/* Detects whether standard error goes to journald. Call once, before starting other threads. */
void log_open(void);

/* True if standard error goes to journald: lines then start with <N> instead of a time. */
bool log_is_journal(void);

void log_set_level(enum log_level level);
bool log_enabled(enum log_level level);

/* Writes at any log level: check log_enabled first, as the macros below do. */
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

/* Redirects libevent's own messages to this log. */
void log_adopt_libevent(void);

/*
 * A limit on log lines that clients can trigger: at most BURST (below 65536) in each PERIOD, shared
 * by all threads without a lock. Zero the other fields.
 */
struct log_throttle {
	int64_t period_ms;
	unsigned burst;
	_Atomic uint64_t window; /* its start, and the number of lines in it */
	_Atomic unsigned suppressed;
};

/*
 * True if a line may be written now. Sets *suppressed to the number of lines suppressed since the
 * last one written, which the caller logs unless it is 0.
 */
bool log_throttle_pass(struct log_throttle *throttle, int64_t now_ms, unsigned *suppressed);

/* True if the period is over; *suppressed is the number of suppressed lines not yet logged. */
bool log_throttle_over(struct log_throttle *throttle, int64_t now_ms, unsigned *suppressed);
