/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Patterns of loss, order and delay: what the summary of a ping, or of one interval, has besides
 * sums. Owns nothing; ping has one for the run and one for the interval.
 */

#pragma once

#include "echoc/say/json.h"
#include "probe/latency.h"
#include "probe/loss_runs.h"
#include "probe/reordering.h"

/* Starts as zeroes. */
struct patterns {
	struct loss_runs loss_runs;
	struct reordering reordering;
};

/* For the next interval. */
void patterns_restart(struct patterns *patterns);

void patterns_put(const struct patterns *patterns, struct json *json, const struct latency *rtt);
void patterns_print(const struct patterns *patterns, const struct latency *rtt);
