/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See signals.h. Owns the handler and the descriptor that it writes to, until the program ends. */

#include "config.h"

#include "echoc/command/signals.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static uint64_t latest; /* of the handler alone */
static int wakeup = -1;

static void on_signal(int number UNUSED)
{
	const uint64_t one = 1;
	uint64_t now = clock_ns();
	int error = errno;

	if (!signal_is_repeated(latest, now)) {
		latest = now;
		caught++;
		(void)!write(wakeup, &one, sizeof(one));
	}
	errno = error;
}

/* Without SA_RESTART: a blocked write to standard output has to end, too. */
int signals_catch(struct reason *reason)
{
	struct sigaction action = {.sa_handler = on_signal};

	wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wakeup < 0)
		return reason_set(reason, "cannot wait for signals: %s", strerror(errno));
	sigemptyset(&action.sa_mask);
	sigaddset(&action.sa_mask, SIGINT);
	sigaddset(&action.sa_mask, SIGTERM);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	return 0;
}

unsigned signals_caught(void)
{
	return (unsigned)caught;
}

struct pollfd signals_poll(void)
{
	return (struct pollfd){.fd = wakeup, .events = POLLIN};
}

int signals_wait(int fd, short events, uint64_t deadline)
{
	struct pollfd ready[2] = {{.fd = fd, .events = events}, signals_poll()};
	uint64_t count;

	for (;;) {
		uint64_t now = clock_ns();
		uint64_t left = now < deadline ? (deadline - now) / NS_PER_MS + 1 : 0;

		if (poll(ready, 2, left < INT_MAX ? (int)left : INT_MAX) < 0 && errno != EINTR)
			return -1;
		if (ready[1].revents != 0) {
			(void)!read(wakeup, &count, sizeof(count));
			return 0;
		}
		if (ready[0].revents != 0 || left == 0)
			return ready[0].revents != 0;
	}
}
