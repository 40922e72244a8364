/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Patterns as text and as JSON. Owns nothing; summary.c calls it. */

#include "config.h"

#include "echoc/ping/patterns.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "echoc/say/terminal.h"

void patterns_restart(struct patterns *patterns)
{
	loss_runs_restart(&patterns->loss_runs);
	reordering_restart(&patterns->reordering);
}

void patterns_put(const struct patterns *patterns, struct json *json, const struct latency *rtt)
{
	json_unsigned(json, "loss_runs", patterns->loss_runs.count);
	json_number(json, "loss_run_mean", loss_runs_mean(&patterns->loss_runs), 3);
	json_unsigned(json, "loss_run_longest", patterns->loss_runs.longest);
	json_number(json, "reorder_extent_mean", reordering_mean(&patterns->reordering), 3);
	json_unsigned(json, "reorder_extent_max", patterns->reordering.max);
	json_open(json, "pdv_us");
	json_number(json, "p50", latency_variation(rtt, 50) / (double)NS_PER_US, 3);
	json_number(json, "p90", latency_variation(rtt, 90) / (double)NS_PER_US, 3);
	json_number(json, "p99", latency_variation(rtt, 99) / (double)NS_PER_US, 3);
	json_number(json, "p999", latency_variation(rtt, 99.9) / (double)NS_PER_US, 3);
	json_close(json);
}

void patterns_print(const struct patterns *patterns, const struct latency *rtt)
{
	const struct loss_runs *runs = &patterns->loss_runs;
	char text[4][NUMBER_TEXT_MAX];

	if (rtt->count > 0)
		printf("delay variation (RFC 5481) p50/p90/p99/p99.9 = %s/%s/%s/%s ms\n",
		       ms_text(latency_variation(rtt, 50), text[0]),
		       ms_text(latency_variation(rtt, 90), text[1]),
		       ms_text(latency_variation(rtt, 99), text[2]),
		       ms_text(latency_variation(rtt, 99.9), text[3]));
	if (patterns->reordering.count > 0)
		printf("reordering extent (RFC 4737) mean %.1f, max %" PRIu64 "\n",
		       reordering_mean(&patterns->reordering), patterns->reordering.max);
	if (runs->count > 0)
		printf("%" PRIu64 " loss run%s (RFC 3357), mean %.1f, longest %" PRIu64 "\n",
		       runs->count, runs->count == 1 ? "" : "s", loss_runs_mean(runs),
		       runs->longest);
}
