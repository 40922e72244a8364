/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The metrics of echom itself, in the same format. */

#pragma once

#include <stdint.h>

#include "base/bounded_text.h"

struct watching;

void process_metrics_write(const struct watching *shared, uint64_t started_at,
			   struct bounded_text *text);
