/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See sandbox.h. */

#include "config.h"

#include "daemon/sandbox/sandbox.h"

#include <stddef.h>

const char *const sandbox_names[] = {
	[SANDBOX_NO] = "no", [SANDBOX_AUTO] = "auto", [SANDBOX_KILL] = "kill", NULL};
