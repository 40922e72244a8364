/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The daemon as a whole: built, run until a signal stops it, freed. Owns everything else. */

#pragma once

#include "base/compiler.h"
#include "daemon/program.h"

struct config;
struct config_source;
struct server;

/*
 * Opens the sockets, drops privileges and builds the workers, in this order. NULL after a line in
 * the log; *STATUS then tells what kind of failure it was, or that a stop signal was none. SOURCE
 * must outlive the server. VERBOSE is how often -v was given.
 */
struct server *server_new(const struct config_source *source, unsigned verbose,
			  struct config *config, enum exit_status *status) WARN_UNUSED;
void server_free(struct server *server);

/* Serves until a signal ends it. */
enum exit_status server_run(struct server *server);
