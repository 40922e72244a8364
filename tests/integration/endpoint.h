/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What an echod reports at its metrics endpoint, at the port it chose itself (127.0.0.1:0). */

#pragma once

#include <stdint.h>

#include "integration/process.h"

/* The port of "serving metrics on http://HOST:"; 0: there is no such line. */
uint16_t endpoint_port(struct echod *echod);

/* The body that PATH has now; static, good until asked again. STATUS NULL: it must be 200. */
const char *endpoint_get(struct echod *echod, const char *path, int *status);
int endpoint_status(struct echod *echod, const char *path);

/* The whole reply that comes over FD, which is closed; good until the next call of any of these. */
const char *endpoint_hear(int fd, int *status);

/* The same over a connection to the endpoint that is there already; closes it. */
const char *endpoint_get_over(int fd, const char *path, int *status);

/* The value of one series, as in "reloads_total{result=\"success\"}": now, and in METRICS. */
uint64_t metric_value(struct echod *echod, const char *series);
uint64_t value_in(const char *metrics, const char *series);

/* All of UDP, from one look at the metrics. */
struct udp_books {
	uint64_t received;
	uint64_t echoed;
	uint64_t dropped; /* for all reasons */
	uint64_t kernel_drops;
};
struct udp_books udp_books(struct echod *echod);
