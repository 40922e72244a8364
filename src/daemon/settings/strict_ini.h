/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * INI through inih, strictly: every line is looked at before inih sees it, and what inih would cut,
 * join or pass over in silence is refused with its line. Knows nothing of sections or keys.
 */

#ifndef DAEMON_SETTINGS_STRICT_INI_H
#define DAEMON_SETTINGS_STRICT_INI_H

#include <stddef.h>

#include "base/compiler.h"

#define LINE_MAX_LENGTH 190

/* Lines count from 1. Strings are the callee's only while it is called. */
struct ini_events {
	/*
	 * What stands in the brackets, without blanks around it, also when the line is refused;
	 * NULL when that cannot be said.
	 */
	void (*section)(void *context, int line, const char *name);
	void (*setting)(void *context, int line, const char *key, const char *value);
	void (*refused)(void *context, int line, const char *why);
};

void strict_ini_read(const char *text, size_t length, const struct ini_events *events,
		     void *context);

#endif
