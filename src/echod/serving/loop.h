/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What everything on one worker's thread works with: its event loop, its counters, its buffers, and
 * the few tables that the workers share. Owned by the worker; nobody else writes to it.
 */

#ifndef ECHOD_SERVING_LOOP_H
#define ECHOD_SERVING_LOOP_H

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/log.h"
#include "echod/config/configuration.h"
#include "echod/counters/counters.h"
#include "echod/datagram/turn.h"
#include "echod/guard/guard.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/kept_echo.h"
#include "echod/serving/service.h"

/*
 * One read takes at most this much, or less while much is kept for others (kept_echo.h), and so a
 * client that does not read its echo costs at most this much. From half a MiB on more of it makes
 * bulk transfers no cheaper (bench/RESULTS.md).
 */
#ifndef INPUT_SIZE /* bench/ builds it with others */
#define INPUT_SIZE (512 * 1024)
#endif

/* The same while clients exchange small messages, which would wait for it (stream/echo.c). */
#define SHARED_SIZE (64 * 1024)

/*
 * In front of the input, so that a prefix (at most LINE_MAX_LENGTH) and the data leave in one call.
 */
#define INPUT_HEADROOM 192

#define SEND_ERRORS 134 /* by errno; Linux has none above 133 */

struct client_table;
struct event_base;
struct rate_limit;
struct udp_batch;
struct udp_repeats;
struct wheel;

/* Shared by all workers, each table safe by itself. */
struct shared_tables {
	struct client_table *clients;
	struct rate_limit *rates;
	struct kept_echo kept;
	struct log_throttle connection_lines;
	struct log_throttle exhaustion_lines;
	struct log_throttle silence_lines[VERDICT_COUNT];
	struct log_throttle receive_lines;
	struct log_throttle unsent_lines[SEND_ERRORS];
};

struct loop {
	struct event_base *base;
	struct shared_tables *shared;
	struct counters counters;
	char *buffer;		/* INPUT_HEADROOM bytes, and the input */
	char *input;		/* INPUT_SIZE bytes in it */
	size_t piece;		/* most that a read takes: INPUT_SIZE or SHARED_SIZE */
	int64_t small_messages; /* when a client that exchanges them sent one */
	struct wheel *wheel;
	struct udp_batch *batch;
	struct udp_repeats *repeats;
	struct service_list services;
	struct endpoint_list endpoints;
	struct guard_ports ports;
	uint64_t random_state;
	struct event quiet; /* pending while the batch holds memory that may go back */
	unsigned paused_endpoints;
	struct datagram_round round;
	size_t connections;
	bool draining; /* stopping: connections end as soon as they are empty */
};

/* 0, or -1 when there is no memory; loop_clear takes a half-built one. */
int loop_init(struct loop *loop, struct shared_tables *shared) WARN_UNUSED;
void loop_clear(struct loop *loop);

/* Nothing new comes in from now on. */
void loop_stop_endpoints(struct loop *loop);

#endif
