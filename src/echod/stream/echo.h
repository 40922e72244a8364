/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One stream connection: what arrives goes back. A connection waits either to read or to write,
 * never both, so a client that does not read is not read from, and an idle one owns no buffer.
 * Connections belong to their worker's loop; they end themselves, and the loop is told.
 */

#ifndef ECHOD_STREAM_ECHO_H
#define ECHOD_STREAM_ECHO_H

#include <stdint.h>

#include "base/address.h"
#include "base/compiler.h"
#include "echod/serving/wheel.h"

struct loop;
struct service;

/*
 * Takes over FD, which the client table has admitted. -1 when there is no memory: FD and the place
 * in the table are then still the caller's.
 */
int connection_start(struct service *service, int fd, const struct address *peer) WARN_UNUSED;

/* The loop's wheel visits its connections here: ends those whose time is over. */
wheel_visit connection_visit;

/* The settings have changed: every connection of the loop gets its deadline anew. */
void connections_reschedule(struct loop *loop);

/*
 * Stopping: ends what has nothing received and nothing pending; the rest end when they are empty.
 */
void connections_drain(struct loop *loop);

/* Resets whatever is left. */
void connections_abort(struct loop *loop);

#endif
