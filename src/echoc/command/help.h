/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What --help prints, from the table of modes.
 */

#ifndef ECHOC_COMMAND_HELP_H
#define ECHOC_COMMAND_HELP_H

#include <stdio.h>

#include "echoc/command/mode.h"

/* The synopsis. */
void help_usage(FILE *out, const struct mode *modes);

/* All of it, to standard output. */
void help_print(const struct mode *modes);

#endif
