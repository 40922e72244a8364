/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Why something failed, in words for a person. Library-like functions fill in a reason and return
 * -1; the caller who knows what it was for says it, once.
 */

#ifndef BASE_REASON_H
#define BASE_REASON_H

#include "base/compiler.h"

#define REASON_MAX 512

struct reason {
	char text[REASON_MAX];
};

/* Writes the reason; always returns -1, so that a caller can return it. Cuts what is too long. */
int reason_set(struct reason *reason, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
