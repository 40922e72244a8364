/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* How many files and sockets the process may have open. Called at the start. */

#pragma once

#include <stdint.h>

/* Takes as many as the hard limit gives, and returns how many. */
uint64_t descriptors_raise(void);
