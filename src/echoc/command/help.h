/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What -h prints, a screen of 80x24 each: of all modes, and of one exactly the options it takes. */

#pragma once

#include <stdio.h>

#include "echoc/command/mode.h"

/* The synopsis of one mode, or with NULL of all. */
void help_print_usage(FILE *out, const struct mode *mode);

/* On standard output: the help of all modes, and of one. */
void help_print_all(const struct mode *modes);
void help_print(const struct mode *mode);
