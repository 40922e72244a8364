/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See modes.h. */

#include "config.h"

#include "echod/config/modes.h"

#include <stddef.h>

const char *const mode_names[MODE_COUNT + 1] = {
	[MODE_ECHO] = "echo", [MODE_STAMP] = "stamp", [MODE_ECHOPLUS] = "echoplus", NULL};
