/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One file of targets, in the JSON of Prometheus' file_sd:
 * [{"targets": ["HOST[:PORT]", ...], "labels": {"NAME": "VALUE", ...}}, ...]
 */

#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "echom/config/target_set.h"

/*
 * Adds the targets of file number FILE. -1, and the reason is "LINE:COLUMN: what"; the set then has
 * some of them.
 */
int file_sd_read(struct target_set *set, size_t file, const char *text, size_t length,
		 struct reason *reason) WARN_UNUSED;
