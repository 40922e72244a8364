/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * bench: how much a path and its server carry, and with what delay.
 */

#ifndef ECHOC_BENCH_BENCH_H
#define ECHOC_BENCH_BENCH_H

#include "echoc/command/arguments.h"
#include "probe/target.h"

enum echoc_status bench_run(const struct arguments *arguments, struct target *target);

#endif
