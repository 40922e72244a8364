/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How a connection goes from stage to stage, when its time is over, and what its socket reports
 * about that. Used by the stages and the visits of the wheel; closes nothing itself.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

struct connection;
struct stage;

/*
 * The one place that changes what a connection waits for, and until when. -1: no memory; only
 * closing it is then left.
 */
int connection_enter(struct connection *connection, const struct stage *stage) WARN_UNUSED;

/* As a deadline: TIMEOUT milliseconds after SINCE, where 0 is never. */
static inline int64_t deadline_after(int64_t since, uint64_t timeout)
{
	return timeout > 0 ? since + (int64_t)timeout : INT64_MAX;
}

enum connection_due {
	DUE_LATER,
	DUE_OVER,    /* its time in this stage is over */
	DUE_STALLED, /* the client has left its echo unread for too long */
	DUE_DRAINED  /* we are stopping, and the client has taken everything */
};

/* What is due now. Notes the progress that it sees. */
enum connection_due connection_due(struct connection *connection, int64_t now);

/* When the wheel must visit it next (clock_ms), at the latest. */
int64_t connection_next_look(const struct connection *connection);

bool connection_nothing_received(const struct connection *connection);

/*
 * What the kernel still has of ours: bytes, of which a FIN is one; on a unix stream the size of the
 * buffers that they lie in.
 */
uint32_t connection_unread(const struct connection *connection);

/* Notes how far the client has come; whether that is no farther than before. */
bool connection_no_progress(struct connection *connection, int64_t now);
