/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The parsed command line of echod. Owns the addresses of -l. */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "echod/config/load.h"

enum action { ACTION_RUN, ACTION_TEST, ACTION_DUMP, ACTION_VERSION, ACTION_HELP };

struct options {
	enum action action;
	struct config_source source;
	unsigned verbose;		  /* number of -v */
	struct listen_address *addresses; /* what source.addresses points to */
};

/*
 * Returns 0, or -1 after an error message on standard error. Call options_clear in both cases.
 */
int options_parse(struct options *options, int argc, char *argv[]) WARN_UNUSED;
void options_clear(struct options *options);

void options_usage(void); /* to standard output */
