/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One stream connection: what arrives goes back. A connection waits either to read or to write,
 * never both, so a client that does not read is not read from, and an idle one owns no buffer.
 * Connections belong to their worker's loop, and end themselves.
 */

#ifndef ECHOD_STREAM_ECHO_H
#define ECHOD_STREAM_ECHO_H

#include "base/compiler.h"

struct address;
struct loop;
struct service;

/*
 * Takes over FD, which the client table has admitted. -1 when there is no memory: FD and the place
 * in the table are then still the caller's.
 */
int connection_start(struct service *service, int fd, const struct address *peer) WARN_UNUSED;

/* The settings have changed: every connection of the loop gets its deadline anew. */
void connections_reschedule(struct loop *loop);

/*
 * Stopping: ends what has nothing received and nothing pending; the rest end when they are empty,
 * and with the last one the loop ends.
 */
void connections_drain(struct loop *loop);

/* Resets all that are left, and the loop ends. */
void connections_abort(struct loop *loop);

/* What connections need on this loop. -1: no memory; connections_close takes a half-built one. */
int connections_open(struct loop *loop) WARN_UNUSED;
void connections_close(struct loop *loop); /* resets all that are left */

#endif
