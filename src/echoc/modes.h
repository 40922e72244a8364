/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The table of modes, for main.
 */

#ifndef ECHOC_MODES_H
#define ECHOC_MODES_H

#include "echoc/command/mode.h"

extern const struct mode modes[]; /* ends with one without a name */

#endif
