/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The outages of a ping: lines and objects about each, and what the summary says of all. Owns
 * nothing; settle.c and summary.c call it.
 */

#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "echoc/ping/pinger.h"
#include "echoc/say/json.h"
#include "echoc/say/wall_clock.h"

static double seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* In which nobody knows whether the path was down, and which is no part of its duration. */
static uint64_t paused(const struct outage *outage)
{
	return outage->stopped + outage->suspended;
}

/* -q hides them like all else that happens, unless they were asked for. */
static bool is_hidden(const struct pinger *pinger)
{
	return pinger->arguments->quiet && pinger->arguments->outage == 0;
}

static void put_wall_clock(struct json *json, const char *name, uint64_t time)
{
	char text[WALL_CLOCK_TEXT_MAX];

	json_string(json, name, time != 0 ? wall_clock_utc(time, text) : NULL);
}

static void put_outage(const struct outage *outage)
{
	uint64_t longest = outage_longest(outage);
	struct json json;

	json_begin(&json, stdout, "outage");
	put_wall_clock(&json, "begin", outage_began(outage));
	put_wall_clock(&json, "end", outage->end);
	json_number(&json, "duration_s", seconds(outage_duration(outage)), 3);
	json_number(&json, "duration_min_s", seconds(outage_shortest(outage)), 3);
	json_number(&json, "duration_max_s", longest > 0 ? seconds(longest) : (double)NAN, 3);
	json_unsigned(&json, "lost", outage->lost);
	json_unsigned(&json, "own_losses", outage->own_losses);
	json_number(&json, "paused_s", seconds(paused(outage)), 3);
	json_end(&json);
}

static void print_outage(const struct ping_output *output, const struct outage *outage)
{
	uint64_t longest = outage_longest(outage);
	char begin[WALL_CLOCK_TEXT_MAX], end[WALL_CLOCK_TEXT_MAX] = "the end of the run";

	if (outage->end != 0)
		(void)wall_clock_of_day(outage->end, end);
	ping_output_clock(output, stdout, clock_ns());
	printf("outage from %s to %s: %.3f s (%.3f ",
	       wall_clock_of_day(outage_began(outage), begin), end,
	       seconds(outage_duration(outage)), seconds(outage_shortest(outage)));
	if (longest > 0)
		printf("to %.3f)", seconds(longest));
	else
		printf("or more)");
	printf(", %" PRIu64 " probe%s", outage->lost, outage->lost == 1 ? "" : "s");
	if (outage->own_losses > 0)
		printf(", %" PRIu64 " more lost on this host", outage->own_losses);
	if (paused(outage) > 0)
		printf(", not counting %.3f s in which echoc was stopped", seconds(paused(outage)));
	putchar('\n');
}

static void report_end(const struct pinger *pinger)
{
	if (is_hidden(pinger))
		return;
	if (pinger->arguments->json)
		put_outage(&pinger->outages.current);
	else
		print_outage(&pinger->output, &pinger->outages.current);
}

static void report_begin(const struct pinger *pinger)
{
	const struct outage *outage = &pinger->outages.current;
	char begin[WALL_CLOCK_TEXT_MAX];

	if (is_hidden(pinger) || !pinger->arguments->verbose || pinger->arguments->json)
		return;
	ping_output_clock(&pinger->output, stdout, clock_ns());
	printf("outage since %s: %" PRIu64 " probe%s without a reply\n",
	       wall_clock_of_day(outage_began(outage), begin), outage->lost,
	       outage->lost == 1 ? "" : "s");
}

static void follow(struct pinger *pinger, uint64_t until)
{
	enum outage_event event;

	do {
		event = outages_follow(&pinger->outages, &pinger->flow, until);
		if (event == OUTAGE_BEGAN)
			report_begin(pinger);
		else if (event == OUTAGE_ENDED)
			report_end(pinger);
	} while (event != OUTAGE_UNCHANGED);
	loss_runs_follow(&pinger->patterns.loss_runs, &pinger->flow, until);
	loss_runs_follow(&pinger->interval_patterns.loss_runs, &pinger->flow, until);
}

void pinger_follow_outages(struct pinger *pinger)
{
	follow(pinger, flow_oldest(&pinger->flow));
}

void pinger_end_outages(struct pinger *pinger)
{
	follow(pinger, flow_next(&pinger->flow));
	if (outages_is_down(&pinger->outages))
		report_end(pinger);
}

void pinger_put_outages(const struct pinger *pinger, struct json *json)
{
	struct outage_sums sums = outages_sum(&pinger->outages);

	json_unsigned(json, "outages", sums.count);
	json_number(json, "outage_s", seconds(sums.total), 3);
	json_number(json, "outage_longest_s", seconds(sums.longest), 3);
	json_number(json, "up_percent", outages_up_percent(&pinger->outages), 4);
}

/* Rounded down, so that it is 100 only without any. */
static void print_up(double percent)
{
	if (isfinite(percent))
		printf(" (%.2f %% up)", floor(percent * 100) / 100);
}

void pinger_print_outages(const struct pinger *pinger)
{
	struct outage_sums sums = outages_sum(&pinger->outages);
	char begin[WALL_CLOCK_TEXT_MAX];

	if (sums.count == 0)
		return;
	printf("%" PRIu64 " outage%s, %.3f s in all", sums.count, sums.count == 1 ? "" : "s",
	       seconds(sums.total));
	print_up(outages_up_percent(&pinger->outages));
	printf(", longest %.3f s from %s\n", seconds(sums.longest),
	       wall_clock_of_day(sums.longest_begin, begin));
}
