/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What everything on one worker's thread works with: its event loop, its counters, what it serves,
 * and the few tables that the workers share. Owned by the worker, its only writer.
 */

#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/lists.h"
#include "daemon/log.h"
#include "echod/counters/counters.h"
#include "echod/guard/guard.h"
#include "echod/serving/kept_echo.h"
#include "echod/serving/service.h"

#define SEND_ERRORS 134 /* by errno; Linux has none above 133 */

struct client_table;
struct datagrams;
struct event_base;
struct rate_limit;
struct streams;

/* Shared by all workers, each table safe by itself. */
struct shared_tables {
	struct client_table *clients;
	struct rate_limit *rates;
	struct kept_echo kept;
	struct log_throttle connection_lines;
	struct log_throttle refusal_lines;
	struct log_throttle exhaustion_lines;
	struct log_throttle silence_lines[VERDICT_COUNT];
	struct log_throttle receive_lines;
	struct log_throttle unsent_lines[SEND_ERRORS];
	struct loop **loops; /* of all workers, by number */
	size_t loop_count;
};

LIST_HEAD(endpoint_list, endpoint);

struct loop {
	struct event_base *base;
	struct shared_tables *shared;
	size_t number;	    /* among those of the shared tables */
	int bell;	    /* wakes its worker, from any thread */
	atomic_size_t load; /* connections, for the other workers to see */
	struct counters counters;
	struct service_list services;
	struct endpoint_list endpoints;
	struct guard_ports ports;
	unsigned paused_endpoints;
	uint64_t busy_poll_ns; /* 0: sleep at once when nothing is left to do */
	bool over;	       /* loop_end was called */
	uint64_t random_state;
	struct streams *streams; /* made and freed by the folders of these names */
	struct datagrams *datagrams;
};

/* 0, or -1 when there is no memory; loop_clear takes a half-built one, without endpoints. */
int loop_init(struct loop *loop, struct shared_tables *shared) WARN_UNUSED;
void loop_clear(struct loop *loop);

/* Serves until loop_end, or until the kernel refuses to wait. */
void loop_run(struct loop *loop);
void loop_end(struct loop *loop);

/*
 * From now on, looks for this long whether more has come before it sleeps, each time something
 * came.
 */
void loop_set_busy_poll(struct loop *loop, uint64_t us);
