/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Connecting takes one round trip, and so does an echo. The shortest of each are compared, so that
 * a path or a server that is slow now and then is not mistaken for a proxy.
 */

#include "config.h"

#include "probe/handshake.h"

#include "base/clock.h"

#define ECHOES_MIN 5
#define ECHO_EXTRA (5 * NS_PER_MS)

enum handshake_by handshake_by(const struct spread *connect, const struct latency *echo)
{
	if (connect->count == 0 || echo->count < ECHOES_MIN)
		return HANDSHAKE_BY_UNKNOWN;
	return echo->min >= 2 * connect->min + ECHO_EXTRA ? HANDSHAKE_BY_OTHER
							  : HANDSHAKE_BY_SERVER;
}
