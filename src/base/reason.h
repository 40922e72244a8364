/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Error reasons as text for people. Library-like functions set a reason and return -1; the caller,
 * which knows the context, reports it once.
 */

#pragma once

#include "base/compiler.h"

#define REASON_MAX 512

struct reason {
	char text[REASON_MAX];
};

/* Sets the reason, truncated if too long. Always returns -1, for the caller to return. */
int reason_set(struct reason *reason, const char *format, ...) PRINTF_LIKE(2, 3);
