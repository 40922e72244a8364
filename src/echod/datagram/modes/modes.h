/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The one table of modes. Used by the datagram path, also where it sets up its sockets. */

#pragma once

#include "echod/config/modes.h"
#include "echod/datagram/modes/mode.h"

/* The row of an enum mode. */
extern const struct datagram_mode datagram_modes[MODE_COUNT];
