/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The system calls that a started echod makes, and its C library for it. */

#pragma once

#include "daemon/sandbox/call_filter.h"

extern const struct call_list worker_calls;

/* What malloc tries in a worker, to learn of the machine, and can do without. */
extern const struct call_list vain_worker_calls;

/* Beside those of a worker. */
extern const struct call_list control_calls;
