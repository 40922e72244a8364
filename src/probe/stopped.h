/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * After a stop of ours (a busy host, SIGSTOP, a debugger) replies have waited in the socket, and
 * some of them do not say since when. What may have come in time is not called lost.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "probe/flow.h"
#include "probe/receive.h"

#define STOPPED_BEHIND (100 * NS_PER_MS) /* any later, and we were stopped, not just busy */

/* NOW, if a probe is still waited for that should have been given up long ago; else 0. */
static inline uint64_t stopped_until(const struct flow *flow, uint64_t now)
{
	return now >= STOPPED_BEHIND && flow_overdue(flow, now - STOPPED_BEHIND) ? now : 0;
}

/*
 * Whether the reply to SEQUENCE, read after a stop until UNTIL, may have come before the time of
 * its reception: the kernel has no time, or only that of the last of several replies.
 */
static inline bool stopped_hides_time(const struct flow *flow, uint64_t sequence,
				      const struct reception *reception, bool datagram,
				      uint64_t until)
{
	if (until == 0 || !flow_awaits(flow, sequence))
		return false;
	return reception->time > until || (!datagram && sequence != flow_next(flow) - 1);
}
