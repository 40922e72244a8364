/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * An eventfd by which one thread wakes another: who rings says that there is something in the
 * mailbox, no more. The descriptor is the caller's.
 */

#ifndef DAEMON_BELL_H
#define DAEMON_BELL_H

#include <event2/event_struct.h>

#include "base/compiler.h"

struct event_base;

struct bell {
	struct event rung;
	struct event again; /* pending after a read that failed */
	void (*heard)(void *arg);
	void *arg;
};

/* HEARD is called when FD was rung. -1 when there is no memory. */
int bell_hang(struct bell *bell, struct event_base *base, int fd, void (*heard)(void *arg),
	      void *arg) WARN_UNUSED;

/* Accepts one of zeros, which was never hung. */
void bell_remove(struct bell *bell);

/* From any thread. */
void bell_ring(int fd);

#endif
