/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See supervisor.h. */

#include "config.h"

#include "daemon/supervisor.h"

#include <event2/event.h>
#include <stdio.h>
#include <string.h>

#include "base/events.h"
#include "daemon/notify.h"

/* systemctl(1) does not notice when a reload fails within a daemon: the status line shows it. */
#define RELOAD_FAILED "the last reload failed, see the log; "

static const struct timeval status_interval = {.tv_sec = 10};

/* False: it is as before. */
static bool make_status(struct supervisor *supervisor, const char *status)
{
	char before[sizeof(supervisor->status)];

	memcpy(before, supervisor->status, sizeof(before));
	(void)snprintf(supervisor->status, sizeof(supervisor->status), "%s%s",
		       supervisor->reload_failed ? RELOAD_FAILED : "", status);
	return strcmp(before, supervisor->status) != 0;
}

void supervisor_ready(struct supervisor *supervisor, const char *status)
{
	(void)make_status(supervisor, status);
	notify_ready(supervisor->status);
}

void supervisor_status(struct supervisor *supervisor, const char *status)
{
	if (make_status(supervisor, status))
		notify_status(supervisor->status);
}

static void on_status_timer(int fd UNUSED, short what UNUSED, void *arg)
{
	struct supervisor *supervisor = arg;

	supervisor->status_due(supervisor->arg);
}

static void on_watchdog_timer(int fd UNUSED, short what UNUSED, void *arg)
{
	struct supervisor *supervisor = arg;

	supervisor->watchdog_due(supervisor->arg);
}

int supervisor_init(struct supervisor *supervisor, struct event_base *base,
		    void (*status_due)(void *arg), void (*watchdog_due)(void *arg), void *arg)
{
	uint64_t usec = notify_watchdog_usec() / 4; /* three may be late before it fires */
	struct timeval watchdog = timeval_from_us(usec);

	supervisor->status_due = status_due;
	supervisor->watchdog_due = watchdog_due;
	supervisor->arg = arg;
	notify_attach(base);
	event_assign(&supervisor->status_timer, base, -1, EV_PERSIST, on_status_timer, supervisor);
	event_assign(&supervisor->watchdog_timer, base, -1, EV_PERSIST, on_watchdog_timer,
		     supervisor);
	if (notify_wanted() && event_add(&supervisor->status_timer, &status_interval) < 0)
		return -1;
	return usec > 0 ? event_add(&supervisor->watchdog_timer, &watchdog) : 0;
}
