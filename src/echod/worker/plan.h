/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What one worker is to serve: the services of a configuration and the sockets for them, allocated
 * by control beforehand, so that carrying it out cannot run out of memory half-way. Its holder owns
 * it; carrying it out frees it.
 */

#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "echod/config/configuration.h"
#include "echod/guard/guard.h"
#include "echod/serving/loop.h"
#include "echod/serving/service.h"
#include "echod/sockets/socket_table.h"

struct session_tables;

struct plan {
	struct service_list services;
	struct endpoint_list endpoints;
	struct guard_ports ports;
	uint64_t busy_poll; /* microseconds */
};

/* For worker number WORKER of WORKERS; NULL when out of memory. SESSIONS may be NULL: none. */
struct plan *plan_new(struct config *config, const struct socket_table *table,
		      const struct session_tables *sessions, size_t worker,
		      size_t workers) WARN_UNUSED;
void plan_free(struct plan *plan);

/*
 * On the worker's thread: from now on this is what is served. Sockets that stay keep being read,
 * those that are gone are served to their end first, connections follow their listener by name.
 */
void plan_carry_out(struct plan *plan, struct loop *loop);
