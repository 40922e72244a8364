/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How a ping over TCP gets its connection back: one more attempt with each probe, beside those that
 * still wait, so that what is measured is the path and not the growing pauses of the kernel between
 * its SYNs. Owns the sockets of the attempts until one is connected.
 */

#include "config.h"

#include <errno.h>
#include <unistd.h>

#include "base/clock.h"
#include "echoc/ping/pinger.h"

static void end_attempt(struct attempt *attempt)
{
	if (attempt->event)
		event_free(attempt->event);
	if (attempt->fd >= 0)
		close(attempt->fd);
	attempt->event = NULL;
	attempt->fd = -1;
}

void ping_connect_init(struct pinger *pinger)
{
	for (size_t i = 0; i < PING_ATTEMPTS; i++)
		pinger->attempts[i] = (struct attempt){.pinger = pinger, .fd = -1};
}

void ping_connect_clear(struct pinger *pinger)
{
	for (size_t i = 0; i < PING_ATTEMPTS; i++)
		end_attempt(&pinger->attempts[i]);
}

bool ping_connect_waits(const struct pinger *pinger)
{
	for (size_t i = 0; i < PING_ATTEMPTS; i++) {
		if (pinger->attempts[i].fd >= 0)
			return true;
	}
	return false;
}

/* The probe that waits for a connection does so while there is an attempt at one. */
static void fail(struct pinger *pinger, int error)
{
	ping_link_say(pinger, "cannot connect", error);
	if (!ping_connect_waits(pinger))
		ping_link_lose_waiting(pinger, "not connected");
}

static void on_result(evutil_socket_t fd, short what UNUSED, void *context)
{
	struct attempt *attempt = context;
	struct pinger *pinger = attempt->pinger;
	int error = target_result(fd);

	if (error == 0)
		attempt->fd = -1; /* it is the link's now */
	end_attempt(attempt);
	if (error == 0)
		ping_link_reconnected(pinger, fd);
	else
		fail(pinger, error);
}

/* 0, or an errno. */
static int begin(struct attempt *attempt, uint64_t now)
{
	attempt->fd = target_begin(attempt->pinger->target);
	if (attempt->fd < 0)
		return errno;
	attempt->begun = now;
	attempt->event =
		event_new(attempt->pinger->base, attempt->fd, EV_WRITE, on_result, attempt);
	if (attempt->event && event_add(attempt->event, NULL) == 0)
		return 0;
	end_attempt(attempt);
	return ENOMEM;
}

/* Each has the timeout for itself; then it makes room. */
static void end_overdue(struct pinger *pinger, uint64_t now)
{
	for (size_t i = 0; i < PING_ATTEMPTS; i++) {
		struct attempt *attempt = &pinger->attempts[i];

		if (attempt->fd < 0 || now - attempt->begun < pinger->flow.timeout)
			continue;
		end_attempt(attempt);
		ping_link_say(pinger, "cannot connect", ETIMEDOUT);
	}
}

/* Spread over the timeout there is room for each: with short intervals not every probe has one. */
static bool is_too_soon(const struct pinger *pinger, uint64_t now)
{
	return ping_connect_waits(pinger) &&
	       now - pinger->tried < pinger->flow.timeout / (PING_ATTEMPTS - 1);
}

void ping_connect_begin(struct pinger *pinger, uint64_t now)
{
	struct attempt *attempt = pinger->attempts;
	int error;

	end_overdue(pinger, now);
	if (is_too_soon(pinger, now))
		return;
	while (attempt->fd >= 0)
		attempt++;
	pinger->tried = now;
	error = begin(attempt, now);
	if (error != 0)
		fail(pinger, error);
}
