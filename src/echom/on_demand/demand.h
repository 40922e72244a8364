/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a request for /probe asks for: its query and its time limit, checked. A plain value. */

#pragma once

#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "echom/config/words.h"

struct http_request;

/* However it is asked for. */
#define DEMAND_MAX_MS 60000

struct demand {
	char address[WATCH_ADDRESS_MAX]; /* with its port */
	uint64_t protocol;		 /* enum watch_protocol */
	uint64_t count;
	uint64_t interval; /* milliseconds, as the others */
	uint64_t timeout;  /* of each probe, and of the lookup of the name */
	uint64_t limit;	   /* of all together */
};

/* -1: the reason is for whoever sent the request. Unknown parameters are ignored. */
int demand_read(struct demand *demand, const struct http_request *request,
		struct reason *reason) WARN_UNUSED;
