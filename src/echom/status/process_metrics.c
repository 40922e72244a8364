/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See process_metrics.h. Called once in each scrape. */

#include "config.h"

#include "echom/status/process_metrics.h"

#include <inttypes.h>

#include "echom/watching/watch.h"

#define LATENESS "echom_schedule_lateness_seconds"

static void write_lateness(const struct lateness *lateness, struct bounded_text *text)
{
	uint64_t sum = 0;

	bounded_text_add(text, "# HELP " LATENESS " How much later than due probes were sent.\n"
			       "# TYPE " LATENESS " histogram\n");
	for (size_t i = 0; i < LATENESS_BOUNDS; i++) {
		sum += lateness->buckets[i];
		bounded_text_add(text, LATENESS "_bucket{le=\"%.12g\"} %" PRIu64 "\n",
				 (double)lateness_bound(i) / (double)NS_PER_S, sum);
	}
	sum += lateness->buckets[LATENESS_BOUNDS];
	bounded_text_add(text,
			 LATENESS "_bucket{le=\"+Inf\"} %" PRIu64 "\n" LATENESS
				  "_sum %.9f\n" LATENESS "_count %" PRIu64 "\n",
			 sum, (double)lateness->sum / (double)NS_PER_S, sum);
}

void process_metrics_write(const struct watching *shared, uint64_t started_at,
			   struct bounded_text *text)
{
	bounded_text_add(text,
			 "# HELP echom_build_info What is running; always 1.\n"
			 "# TYPE echom_build_info gauge\n"
			 "echom_build_info{version=\"%s\"} 1\n"
			 "# HELP echom_start_time_seconds When echom was started, in seconds since "
			 "the epoch.\n"
			 "# TYPE echom_start_time_seconds gauge\n"
			 "echom_start_time_seconds %.3f\n",
			 PACKAGE_VERSION, (double)started_at / (double)NS_PER_S);
	write_lateness(&shared->lateness, text);
}
