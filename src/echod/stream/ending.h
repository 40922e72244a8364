/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The last stages of a connection: our FIN is out, what still arrives is discarded for a bounded
 * time, and what the kernel holds for the client is watched until it is taken or given up.
 */

#pragma once

#include <stdbool.h>

#include "echod/counters/counters.h"
#include "echod/stream/connection.h"

extern const struct stage stage_lingering; /* what still arrives is discarded */
extern const struct stage stage_flushing; /* both ways are over, but the client has not taken all */

/* Ends a connection from our side while the peer may still be sending. May close it at once. */
void connection_finish(struct connection *connection, enum counter why);

/*
 * Nothing more is to be read or sent. Ends it at once if the peer has taken everything, and else
 * when it has: what the kernel holds for it must count as a client. Whether it has ended.
 */
bool connection_conclude(struct connection *connection, enum counter why);
