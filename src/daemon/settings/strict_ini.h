/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Strict INI on top of inih: checks every line before inih sees it, and reports lines that inih
 * would silently truncate, join or skip. Does not interpret sections or keys.
 */

#pragma once

#include <stddef.h>

#include "base/compiler.h"

#define LINE_MAX_LENGTH 190

/* Lines count from 1. Strings are the callee's only while it is called. */
struct ini_events {
	/*
	 * The text in the brackets, without blanks around it, even if the line is invalid; NULL if
	 * it cannot be determined.
	 */
	void (*section)(void *context, int line, const char *name);
	void (*setting)(void *context, int line, const char *key, const char *value);
	void (*refused)(void *context, int line, const char *why);
};

void strict_ini_read(const char *text, size_t length, const struct ini_events *events,
		     void *context);
