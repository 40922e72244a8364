/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The command line of echod: what was asked for, checked. Owns the addresses of -l. */

#ifndef ECHOD_CONFIG_OPTIONS_H
#define ECHOD_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "echod/config/load.h"

enum action { ACTION_RUN, ACTION_TEST, ACTION_DUMP, ACTION_VERSION, ACTION_HELP };

struct options {
	enum action action;
	struct config_source source;
	unsigned verbose;		  /* how often -v */
	struct listen_address *addresses; /* what source.addresses points to */
};

/*
 * 0, or -1 after a message on standard error that says what is allowed; to be cleared in both
 * cases.
 */
int options_parse(struct options *options, int argc, char *argv[]) WARN_UNUSED;
void options_clear(struct options *options);

void options_usage(void); /* to standard output */

#endif
