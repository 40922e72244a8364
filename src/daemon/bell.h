/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * An eventfd with which one thread wakes another. It carries no data: a ring only means that there
 * is something in the mailbox. The caller owns the descriptor.
 */

#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>

#include "base/compiler.h"

struct event_base;

struct bell {
	struct event rung;
	struct event again; /* pending after a failed read */
	void (*heard)(void *arg);
	void *arg;
};

/* HEARD is called after each ring of FD. -1: out of memory. */
int bell_hang(struct bell *bell, struct event_base *base, int fd, void (*heard)(void *arg),
	      void *arg) WARN_UNUSED;

/* Accepts a zeroed one that was never hung. */
void bell_remove(struct bell *bell);

/* From any thread. False after a line in the log: nobody was woken. */
bool bell_ring(int fd);
