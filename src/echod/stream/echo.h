/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One stream connection: what arrives goes back. A connection waits either to read or to write,
 * never both, so a client that does not read is not read from, and an idle one owns no buffer.
 * Connections belong to their worker's loop, and end themselves.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct connection;
struct peer;
struct service;
struct stage;

extern const struct stage stage_reading; /* waits for the client to send; nothing is kept */
extern const struct stage stage_writing; /* waits for the client to read what is kept */

/*
 * Takes over FD, which was admitted, SOURCE_COUNTED or not. -1 when there is no memory: FD and the
 * admission are then still the caller's.
 */
int connection_start(struct service *service, int fd, const struct peer *peer,
		     bool source_counted) WARN_UNUSED;

/*
 * Opens it, greets, and echoes from now on: first the SIZE bytes at DATA, which have arrived
 * already and lie in the loop's input. May close it at once.
 */
void connection_begin(struct connection *connection, char *data, size_t size);
