/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What sections and keys mean: the text of a file becomes a draft and findings. Owns nothing. */

#ifndef DAEMON_SETTINGS_READER_H
#define DAEMON_SETTINGS_READER_H

#include <stddef.h>

#include "daemon/settings/draft.h"

void config_read(struct draft *draft, const char *text, size_t length);

#endif
