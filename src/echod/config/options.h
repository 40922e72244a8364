/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The parsed command line of echod. Owns the addresses of -l. */

#pragma once

#include "base/compiler.h"
#include "daemon/command_line.h"
#include "echod/config/load.h"

extern const struct command echod_command;

struct options {
	struct command_line line;
	struct config_source source;
	struct listen_address *addresses; /* what source.addresses points to */
};

/* Returns 0, or -1 after an error message on standard error. Call options_clear in both cases. */
int options_parse(struct options *options, int argc, char *argv[]) WARN_UNUSED;
void options_clear(struct options *options);
