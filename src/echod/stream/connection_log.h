/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The lines about connections, at info. Remote peers trigger them, so all workers together write at
 * most 200 a second, and log how many they suppressed; of refusals that are notable, one in 30
 * seconds is at notice.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "echod/counters/counters.h"

struct peer;
struct service;
struct shared_tables;

/* What a connection has been, for its last line. */
struct connection_record {
	int64_t opened; /* clock_ms */
	uint64_t received;
	uint64_t sent;
};

/* Why a client did not become a connection. */
struct refusal {
	enum counter why;
	const char *detail; /* beyond the name of the counter; NULL: there is none */
	bool is_notable;    /* somebody may have to change a configuration: at notice, too */
};

/* PROXY is the socket's peer where that has named PEER; else NULL. */
void log_connection_opened(const struct service *service, const struct peer *peer,
			   const struct peer *proxy);
void log_connection_closed(const struct service *service, const struct peer *peer,
			   const struct peer *proxy, enum counter why,
			   const struct connection_record *record);
void log_connection_refused(const struct service *service, const struct peer *peer,
			    const struct peer *proxy, const struct refusal *refusal);

/*
 * Logs how many lines were suppressed if the second in which that happened is over at NOW_MS. The
 * next line does so itself; control looks whether none has come.
 */
void connection_log_rest(struct shared_tables *shared, int64_t now_ms);
