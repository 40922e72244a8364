/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The system calls that a started echod makes, and its C library for it. */

#pragma once

#include <stddef.h>

extern const int worker_calls[];
extern const size_t worker_call_count;

/* Beside those of a worker. */
extern const int control_calls[];
extern const size_t control_call_count;
