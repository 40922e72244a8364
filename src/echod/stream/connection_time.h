/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * When a connection is over because of the time, and what its socket says about that. Asked by
 * echo.c, mostly when the wheel comes by; closes nothing itself.
 */

#ifndef ECHOD_STREAM_CONNECTION_TIME_H
#define ECHOD_STREAM_CONNECTION_TIME_H

#include <stdbool.h>
#include <stdint.h>

struct connection;
struct service;

enum connection_due {
	DUE_LATER,
	DUE_OVER,    /* its time in this state is over */
	DUE_STALLED, /* the client has left its echo unread for too long */
	DUE_DRAINED  /* we are stopping, and the client has taken everything */
};

/* What is due now. Notes the progress that it sees. */
enum connection_due connection_due(struct connection *connection, int64_t now);

/* When the wheel must come by to ask that (clock_ms), at the latest. */
int64_t connection_next_look(const struct connection *connection);
int64_t connection_first_look(const struct service *service); /* of one that is new */

bool connection_nothing_received(const struct connection *connection);

/*
 * What the kernel still has of ours: bytes, of which a FIN is one; on a unix stream the size of the
 * buffers that they lie in.
 */
uint32_t connection_unread(const struct connection *connection);

/* Notes how far the client has come; whether that is no farther than before. */
bool connection_no_progress(struct connection *connection, int64_t now);

#endif
