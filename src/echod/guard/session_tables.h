/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The tables of sessions of all listeners that have one, by name. Control makes them for a
 * configuration, those of the one before included where mode and number are the same, and gives
 * them to its workers. Owns a reference to each.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "echod/config/configuration.h"

/* What `stamp_sessions = 0` means in a mode whose replies always carry counts. */
#define SESSIONS_WHERE_NEEDED 4096

struct session_tables;
struct sessions;

/* BEFORE may be NULL, and stays the caller's. NULL: out of memory. */
struct session_tables *session_tables_new(const struct config *config,
					  const struct session_tables *before) WARN_UNUSED;
void session_tables_free(struct session_tables *tables);

/* NULL: the listener has none. TABLES may be NULL. */
struct sessions *session_tables_find(const struct session_tables *tables, const char *name);

/* The sessions in use, all together, at NOW (CLOCK_MONOTONIC, nanoseconds). */
uint64_t session_tables_count(const struct session_tables *tables, int64_t now);
