/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See turns.h. */

#include "config.h"

#include "echom/control/turns.h"

#include <event2/event.h>
#include <stddef.h>
#include <time.h>

#include "base/clock.h"

static const struct timespec pause_time = {.tv_nsec = NS_PER_MS};

int turns_run(struct event_base *base, bool (*may_pause)(void *context), void *context)
{
	for (;;) {
		if (event_base_loop(base, EVLOOP_ONCE) != 0)
			return -1;
		if (event_base_got_break(base))
			return 0;
		if (may_pause(context))
			(void)nanosleep(&pause_time, NULL); /* a signal ends it early */
	}
}
