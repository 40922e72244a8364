/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The command line of echoc, checked as far as that is possible before the target is known.
 */

#pragma once

#include "base/compiler.h"
#include "echoc/command/arguments.h"

/* 0, or -1 after a message on standard error that names what is allowed. */
int command_line_parse(struct arguments *arguments, const struct mode *modes, int argc,
		       char *argv[]) WARN_UNUSED;
