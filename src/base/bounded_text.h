/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A text built in the caller's memory of fixed size, which it cannot exceed. Used for metrics and
 * the status page.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct bounded_text {
	char *bytes; /* always NUL-terminated */
	size_t size;
	size_t length;
	bool cut; /* something did not fit */
};

/* SIZE is at least 1. */
void bounded_text_begin(struct bounded_text *text, char *bytes, size_t size);

/* Omits the whole piece if it does not fit. */
void bounded_text_add(struct bounded_text *text, const char *format, ...) PRINTF_LIKE(2, 3);

/* The remaining space, without the NUL. */
size_t bounded_text_room(const struct bounded_text *text);
