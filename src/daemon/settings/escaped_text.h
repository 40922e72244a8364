/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Bytes to send, as written in a file: with \n \r \t \\ and \xHH, and without anything that the
 * syntax of the file would remove. Owns nothing; used by the settings `greeting` and `prefix`.
 */

#pragma once

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

/* Every byte may need four, as \xHH. */
#define ESCAPED_TEXT_MAX (4 * LINE_MAX_LENGTH + 1)

/*
 * The inverse of escaped_text_decode, in printable ASCII. If that takes more than ROOM bytes, other
 * bytes that are valid in a file are not escaped, which gives the shortest text for a file.
 */
void escaped_text_encode(const struct text *text, size_t room,
			 char escaped[static ESCAPED_TEXT_MAX]);
