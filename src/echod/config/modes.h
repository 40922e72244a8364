/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The words of `mode`: how a listener answers datagrams. Owns nothing. */

#pragma once

enum mode { MODE_ECHO, MODE_STAMP, MODE_ECHOPLUS, MODE_COUNT };

extern const char *const mode_names[MODE_COUNT + 1];
