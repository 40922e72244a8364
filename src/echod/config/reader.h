/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What sections and keys mean: the text of a file becomes a draft and findings. Owns nothing. */

#ifndef ECHOD_CONFIG_READER_H
#define ECHOD_CONFIG_READER_H

#include <stddef.h>

#include "echod/config/draft.h"

void config_read(struct draft *draft, const char *text, size_t length);

#endif
