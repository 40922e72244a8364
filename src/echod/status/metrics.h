/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * All counters in the text format of Prometheus. Formats a plain value, and keeps no state.
 */

#pragma once

#include "base/bounded_text.h"
#include "echod/counters/totals.h"

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

void metrics_write(const struct totals *totals, struct bounded_text *text);
