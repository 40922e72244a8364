/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The summary of a bench for people: table, histogram, and whether the client was the limit.
 */

#pragma once

#include "echoc/command/arguments.h"
#include "echoc/say/report.h"

/* CONNECTS is NULL unless each message had a connection of its own. */
void bench_table_print(const struct arguments *arguments, const struct target *target,
		       const struct books *books, const struct latency *connects,
		       const struct report_span *span);
