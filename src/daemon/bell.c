/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See bell.h. Control and each worker use one to wake the other. */

#include "config.h"

#include "daemon/bell.h"

#include <errno.h>
#include <event2/event.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/log.h"

/* If it cannot be read it stays readable: the mailbox is then checked at this interval. */
static const struct timeval pause_time = {.tv_usec = 100 * 1000};

/* Shared, because a failure affects all threads alike. */
static struct log_throttle lines = {.period_ms = 30 * 1000, .burst = 1};

static void log_failure(const char *call)
{
	unsigned suppressed;
	int error = errno;

	if (log_throttle_pass(&lines, clock_ms(), &suppressed))
		log_error("cannot %s an eventfd, by which threads wake each other: %s "
			  "(a filter of system calls may forbid it)",
			  call, strerror(error));
}

/* If the timer cannot be added, the event stays enabled. */
static void pause_listening(struct bell *bell)
{
	if (event_add(&bell->again, &pause_time) == 0)
		event_del(&bell->rung);
}

static void on_rung(int fd, short what UNUSED, void *arg)
{
	struct bell *bell = arg;
	uint64_t rings;

	if (read(fd, &rings, sizeof(rings)) < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return;
		log_failure("read");
		pause_listening(bell);
	}
	bell->heard(bell->arg);
}

static void on_again(int fd UNUSED, short what UNUSED, void *arg)
{
	struct bell *bell = arg;

	if (event_add(&bell->rung, NULL) < 0)
		event_add(&bell->again, &pause_time);
}

int bell_hang(struct bell *bell, struct event_base *base, int fd, void (*heard)(void *arg),
	      void *arg)
{
	bell->heard = heard;
	bell->arg = arg;
	event_assign(&bell->rung, base, fd, EV_READ | EV_PERSIST, on_rung, bell);
	event_assign(&bell->again, base, -1, 0, on_again, bell);
	return event_add(&bell->rung, NULL);
}

void bell_remove(struct bell *bell)
{
	if (!event_initialized(&bell->rung))
		return;
	event_del(&bell->rung);
	event_del(&bell->again);
}

bool bell_ring(int fd)
{
	uint64_t one = 1;

	/* The other side resets the counter; if it is full, that side is awake anyway. */
	if (write(fd, &one, sizeof(one)) >= 0 || errno == EAGAIN)
		return true;
	log_failure("write to");
	return false;
}
