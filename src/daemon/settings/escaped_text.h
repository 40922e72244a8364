/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Bytes for the wire as a file writes them: with \n \r \t \\ and \xHH, and without what the file's
 * own syntax would take away. Owns nothing; the settings `greeting` and `prefix` are of this kind.
 */

#ifndef DAEMON_SETTINGS_ESCAPED_TEXT_H
#define DAEMON_SETTINGS_ESCAPED_TEXT_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "daemon/settings/strict_ini.h"

/* Bytes for the wire, escapes already decoded, NUL allowed. */
struct text {
	size_t length;
	char bytes[LINE_MAX_LENGTH];
};

int escaped_text_decode(struct text *text, const char *escaped, struct reason *reason) WARN_UNUSED;

/* Every byte may take the four of \xHH. */
#define ESCAPED_TEXT_MAX (4 * LINE_MAX_LENGTH + 1)

/*
 * What escaped_text_decode reads back as the same, in printable ASCII; when that has more than ROOM
 * bytes, other bytes that a file may hold stand for themselves, and it is as short as a file can
 * say it.
 */
void escaped_text_encode(const struct text *text, size_t room,
			 char escaped[static ESCAPED_TEXT_MAX]);

#endif
