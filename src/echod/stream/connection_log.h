/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The lines about connections, at info. Remote peers trigger them, so all workers together write at
 * most 200 a second, and log how many they suppressed.
 */

#pragma once

#include <stdint.h>

#include "base/address.h"
#include "echod/counters/counters.h"

struct service;
struct shared_tables;

/* What a connection has been, for its last line. */
struct connection_record {
	int64_t opened; /* clock_ms */
	uint64_t received;
	uint64_t sent;
};

void log_connection_opened(const struct service *service, const struct sockaddr *peer);
void log_connection_closed(const struct service *service, const struct sockaddr *peer,
			   enum counter why, const struct connection_record *record);
void log_connection_refused(const struct service *service, const struct address *peer,
			    enum counter why);

/*
 * Logs how many lines were suppressed if the second in which that happened is over at NOW_MS. The
 * next line does so itself; control looks whether none has come.
 */
void connection_log_rest(struct shared_tables *shared, int64_t now_ms);
