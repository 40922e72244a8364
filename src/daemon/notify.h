/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Messages to the service manager, in its own datagrams (sd_notify(3) describes them). Owned by the
 * control thread. No call but notify_close waits, and each does nothing without NOTIFY_SOCKET.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct event_base;

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and removes them from the environment. */
void notify_open(void);

/* A busy manager with a message outstanding has 100 ms to take it. */
void notify_close(void);

/* From here on, messages that a busy manager has not accepted are retried from the loop of BASE. */
void notify_attach(struct event_base *base);
void notify_detach(void);

bool notify_wanted(void);

/* The maximum interval between WATCHDOG=1 messages in microseconds; 0: none required. */
uint64_t notify_watchdog_usec(void);

void notify_ready(const char *status); /* READY=1 and STATUS= in one datagram */
void notify_reloading(void);	       /* with MONOTONIC_USEC, for Type=notify-reload */
void notify_stopping(uint64_t usec);   /* and how long it may take */
void notify_status(const char *status);
void notify_watchdog(void);
