/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * /probe: probes on demand, as the usual black-box exporter does, for callers and to targets in
 * configured networks. Owns the threads that look up the names it is given, so that none of them
 * keeps a watched target waiting.
 */

#pragma once

#include "base/compiler.h"

struct http_reply;
struct http_request;
struct on_demand;
struct watching;
struct watchlist;

/* At a time. */
#define ON_DEMAND_MAX 16

/* Probes with what the watches share. NULL without memory. */
struct on_demand *on_demand_new(struct watching *shared, struct watchlist *list) WARN_UNUSED;

/* After the HTTP server, with which all requests have ended. Accepts NULL. */
void on_demand_free(struct on_demand *on_demand);

/* From the next request on, the networks of LIST count. */
void on_demand_set(struct on_demand *on_demand, struct watchlist *list);

/* The page of /probe; ARG is the struct on_demand. */
void on_demand_page(void *arg, const struct http_request *request, struct http_reply *reply);
