/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The lines about connections, at info. A remote causes them, so together they are bounded: 200 a
 * second, and how many were left out is said.
 */

#ifndef ECHOD_STREAM_CONNECTION_LOG_H
#define ECHOD_STREAM_CONNECTION_LOG_H

#include "base/address.h"
#include "echod/counters/counters.h"

struct connection;
struct service;
struct shared_tables;

void log_connection_opened(const struct connection *connection);
void log_connection_closed(const struct connection *connection, enum counter why);
void log_connection_refused(const struct service *service, const struct address *peer,
			    enum counter why);

/* Says how many were left out: when a loop's timer lines_over is due, and when none can follow. */
void connection_log_over(int fd, short what, void *arg);
void connection_log_end(struct shared_tables *shared);

#endif
