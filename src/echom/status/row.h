/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* One target in the table of the page. */

#pragma once

#include "base/bounded_text.h"

struct watch;

#define ROW_MAX (16 * 1024) /* no row is longer */

void row_write(const struct watch *watch, struct bounded_text *text);
