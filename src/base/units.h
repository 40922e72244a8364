/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Parsers for values in configuration files and on command lines: whole numbers, durations, sizes,
 * booleans. Each accepts the whole text, or fails with a reason that names the valid values.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"

/* Decimal digits only: no sign, blank or base prefix. */
int parse_unsigned(const char *text, uint64_t min, uint64_t max, uint64_t *value,
		   struct reason *reason) WARN_UNUSED;

/* A whole number with ms, s, m, h or d, or none for seconds. Results and limits in milliseconds. */
int parse_duration(const char *text, uint64_t min_ms, uint64_t max_ms, uint64_t *ms,
		   struct reason *reason) WARN_UNUSED;

/* A whole number with us, ms or s, or none for seconds. Results and limits in microseconds. */
int parse_short_duration(const char *text, uint64_t min_us, uint64_t max_us, uint64_t *us,
			 struct reason *reason) WARN_UNUSED;

/* As parse_duration, with a fraction ("0.2"); rounded to a millisecond, and down below one. */
int parse_decimal_duration(const char *text, uint64_t min_ms, uint64_t max_ms, uint64_t *ms,
			   struct reason *reason) WARN_UNUSED;

/* Per second: a number, optionally with a fraction and k or m (powers of 1000, either case). */
int parse_rate(const char *text, uint64_t min, uint64_t max, uint64_t *rate,
	       struct reason *reason) WARN_UNUSED;

/* A whole number of bytes, optionally with k, m or g (powers of 1024, either case). */
int parse_size(const char *text, uint64_t min, uint64_t max, uint64_t *bytes,
	       struct reason *reason) WARN_UNUSED;

/* yes/no, true/false, on/off, 1/0 in any letter case. */
int parse_boolean(const char *text, bool *value, struct reason *reason) WARN_UNUSED;

#define DURATION_TEXT_MAX 32

/* The shortest text that parse_duration accepts for the value: "1h", "90s", "250ms", "0". */
const char *format_duration(uint64_t ms, char text[static DURATION_TEXT_MAX]);
const char *format_short_duration(uint64_t us, char text[static DURATION_TEXT_MAX]);
