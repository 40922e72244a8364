/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The contents of a configuration file, or why it could not be read. Nothing is left open; the
 * caller frees the text.
 */

#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"

#define CONFIG_FILE_MAX 65536

enum config_file { CONFIG_FILE_READ, CONFIG_FILE_MISSING, CONFIG_FILE_BAD };

/*
 * Sets text and length, at most MAX, if it returns READ, otherwise the reason. Never blocks,
 * whatever the path.
 */
enum config_file config_file_read(const char *path, size_t max, char **text, size_t *length,
				  struct reason *reason) WARN_UNUSED;
