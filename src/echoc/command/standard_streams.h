/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Standard input, output and error, as echoc finds and leaves them.
 */

#ifndef ECHOC_COMMAND_STANDARD_STREAMS_H
#define ECHOC_COMMAND_STANDARD_STREAMS_H

#include "base/compiler.h"

/* Opens those that are closed. -1 after a message. */
int open_missing_streams(void) WARN_UNUSED;

/* -1 after a message when not all of it could be written. */
int flush_stdout(void) WARN_UNUSED;

#endif
