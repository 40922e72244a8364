/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The value of `mode`: how a listener answers datagrams. Owns nothing. */

#pragma once

#include "daemon/settings/schema.h"

enum mode { MODE_ECHO, MODE_STAMP, MODE_ECHOPLUS, MODE_COUNT };

extern const struct value_type mode_value; /* uint64_t */

/* The word of a mode. */
extern const char *const mode_names[MODE_COUNT];
