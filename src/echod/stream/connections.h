/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * All connections of one loop together: their timeouts, new settings, a stop. Owns struct streams;
 * the worker calls it.
 */

#pragma once

#include "base/compiler.h"

struct loop;

/* The settings have changed: every connection of the loop gets its deadline anew. */
void connections_reschedule(struct loop *loop);

/*
 * Stopping: ends what has nothing received and nothing pending; the rest end when they are empty,
 * and with the last one the loop ends.
 */
void connections_drain(struct loop *loop);

/* Resets all that are left; after connections_drain() the loop ends. */
void connections_abort(struct loop *loop);

/* What connections need on this loop. -1: no memory; connections_close takes a half-built one. */
int connections_open(struct loop *loop) WARN_UNUSED;
void connections_close(struct loop *loop); /* resets all that are left */
