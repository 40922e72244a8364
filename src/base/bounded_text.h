/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A text in the making, in memory of fixed size that belongs to the caller: whatever is put into
 * it, it cannot grow beyond that. Metrics and the status page are written into one.
 */

#ifndef BASE_BOUNDED_TEXT_H
#define BASE_BOUNDED_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct bounded_text {
	char *bytes; /* always with a NUL at the end */
	size_t size;
	size_t length;
	bool cut; /* something did not fit */
};

/* SIZE is at least 1. */
void bounded_text_begin(struct bounded_text *text, char *bytes, size_t size);

/* A piece that does not fit is left out whole. */
void bounded_text_add(struct bounded_text *text, const char *format, ...) PRINTF_LIKE(2, 3);

/* What more would fit, the NUL not counted. */
size_t bounded_text_room(const struct bounded_text *text);

#endif
