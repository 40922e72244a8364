/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How many messages each connection of a bench remembers, and the memory that takes.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "echoc/command/arguments.h"

/* The capacity of each connection's window. */
size_t bench_window(const struct arguments *arguments, bool datagram);

/* -1 if the windows of all connections together would take too much. */
int bench_window_check(const struct arguments *arguments, bool datagram,
		       struct reason *reason) WARN_UNUSED;
