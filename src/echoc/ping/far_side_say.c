/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What far_side.h prints. */

#include "config.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "echoc/ping/far_side.h"
#include "echoc/say/terminal.h"
#include "probe/traffic_class.h"

static const double percents[] = {50, 90, 99, 99.9};

/* Losses by direction; NOTHING is known without counts, or from those of several clients. */
enum knowledge { NOTHING, COUNTS_OF_OTHERS, SPLIT };

static enum knowledge split(const struct far_side *far, uint64_t lost, uint64_t *there,
			    uint64_t *back)
{
	*there = *back = 0;
	if (!far->counts)
		return NOTHING;
	if (!directional_loss_split(&far->loss, lost, there, back))
		return COUNTS_OF_OTHERS;
	*there -= *there < far->lost_there ? *there : far->lost_there;
	*back -= *back < far->lost_back ? *back : far->lost_back;
	return SPLIT;
}

static void put_us(struct json *json, const char *name, double ns)
{
	json_number(json, name, ns / (double)NS_PER_US, 3);
}

static void put_count(struct json *json, const char *name, int value)
{
	if (value < 0)
		json_null(json, name);
	else
		json_unsigned(json, name, (uint64_t)value);
}

/* Hops, marks and the address, by the names that the summary has as well. */
static void put_latest(const struct far_report *report, struct json *json)
{
	char text[ADDRESS_TEXT_MAX];

	put_count(json, "hops_there", report->hops_there);
	put_count(json, "hops_back", report->hops_back);
	put_count(json, "dscp_seen", report->dscp);
	put_count(json, "ecn_seen", report->ecn);
	json_string(json, "seen_address",
		    report->source.length > 0 ? address_format(&report->source, text) : NULL);
}

void far_report_put(const struct far_report *report, struct json *json)
{
	bool one_way = report->timed && isfinite(report->error);

	put_us(json, "there_us", one_way ? (double)report->there : (double)NAN);
	put_us(json, "back_us", one_way ? (double)report->back : (double)NAN);
	put_us(json, "one_way_error_us", report->error);
	put_us(json, "turnaround_us", report->timed ? (double)report->turnaround : (double)NAN);
	put_latest(report, json);
}

static void put_latency(struct json *json, const char *name, const struct latency *latency)
{
	bool measured = latency->count > 0;

	json_open(json, name);
	put_us(json, "min", measured ? (double)latency->min : (double)NAN);
	put_us(json, "avg", latency_mean(latency));
	put_us(json, "max", measured ? (double)latency->max : (double)NAN);
	put_us(json, "p50", latency_percentile(latency, 50));
	put_us(json, "p99", latency_percentile(latency, 99));
	json_close(json);
}

static void variation_of(struct delay_variation *variation, double values[ARRAY_SIZE(percents)])
{
	if (delay_variation_percentiles(variation, percents, values, ARRAY_SIZE(percents)) == 0)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(percents); i++)
		values[i] = (double)NAN;
}

static void put_variation(struct json *json, const char *name, struct delay_variation *variation)
{
	double values[ARRAY_SIZE(percents)];

	variation_of(variation, values);
	json_open(json, name);
	put_us(json, "p50", values[0]);
	put_us(json, "p90", values[1]);
	put_us(json, "p99", values[2]);
	put_us(json, "p999", values[3]);
	json_close(json);
}

static void put_losses(const struct far_side *far, struct json *json, uint64_t lost)
{
	uint64_t there, back;

	if (far->present)
		json_bool(json, "far_side_counts", far->counts);
	else
		json_null(json, "far_side_counts");
	if (split(far, lost, &there, &back) == SPLIT) {
		json_unsigned(json, "lost_there", there);
		json_unsigned(json, "lost_back", back);
	} else {
		json_null(json, "lost_there");
		json_null(json, "lost_back");
	}
	if (!far->is_interval)
		json_unsigned(json, "lost_unknown", lost - there - back);
}

void far_side_put(struct far_side *far, struct json *json, uint64_t lost)
{
	put_losses(far, json, lost);
	put_latency(json, "there_us", &far->there_us);
	put_latency(json, "back_us", &far->back_us);
	put_us(json, "one_way_error_us", far->there_us.count > 0 ? far->error : (double)NAN);
	put_variation(json, "pdv_there_us", &far->there);
	put_variation(json, "pdv_back_us", &far->back);
	put_latency(json, "turnaround_us", &far->turnaround);
	put_latest(far->present ? &far->latest : &no_far_report, json);
}

void far_report_print(const struct far_report *report)
{
	char text[2][NUMBER_TEXT_MAX];

	if (report->timed && isfinite(report->error))
		printf(" there=%s ms back=%s ms", ms_text((double)report->there, text[0]),
		       ms_text((double)report->back, text[1]));
	if (report->timed)
		printf(" turnaround=%s ms", ms_text((double)report->turnaround, text[0]));
}

static void print_losses(const struct far_side *far, uint64_t lost)
{
	uint64_t there, back;

	switch (split(far, lost, &there, &back)) {
	case SPLIT:
		printf("lost on the way there: %" PRIu64 ", on the way back: %" PRIu64, there,
		       back);
		if (lost > there + back && !far->is_interval)
			printf(", after the last reply: %" PRIu64, lost - there - back);
		putchar('\n');
		break;
	case COUNTS_OF_OTHERS:
		puts("on which way probes were lost is not known: the far side also counts others");
		break;
	case NOTHING:
	default:
		puts("the reflector is stateless, as far as its numbers show: it cannot tell on "
		     "which way\n  probes are lost (echod does with stamp_sessions)");
	}
}

static void print_variation(const char *way, struct delay_variation *variation)
{
	double values[ARRAY_SIZE(percents)];
	char text[ARRAY_SIZE(percents)][NUMBER_TEXT_MAX];

	if (variation->count == 0)
		return;
	variation_of(variation, values);
	printf("delay variation %s p50/p90/p99/p99.9 = %s/%s/%s/%s ms\n", way,
	       ms_text(values[0], text[0]), ms_text(values[1], text[1]),
	       ms_text(values[2], text[2]), ms_text(values[3], text[3]));
}

static void print_latency(const char *what, const struct latency *latency)
{
	char text[3][NUMBER_TEXT_MAX];

	printf("%s min/avg/max = %s/%s/%s ms", what, ms_text((double)latency->min, text[0]),
	       ms_text(latency_mean(latency), text[1]), ms_text((double)latency->max, text[2]));
}

static void print_one_way(const struct far_side *far)
{
	char text[NUMBER_TEXT_MAX];

	if (far->there_us.count == 0)
		return;
	print_latency("one way there", &far->there_us);
	printf(" (+- %s)\n", ms_text(far->error, text));
	print_latency("one way back", &far->back_us);
	printf(" (+- %s)\n", text);
}

static void print_hops(const struct far_report *report)
{
	if (report->hops_there < 0 && report->hops_back < 0)
		return;
	printf("hops");
	if (report->hops_there >= 0)
		printf(" there %d", report->hops_there);
	if (report->hops_back >= 0)
		printf("%s back %d", report->hops_there >= 0 ? "," : "", report->hops_back);
	putchar('\n');
}

static void print_seen(const struct far_report *report, uint8_t tos)
{
	char text[ADDRESS_TEXT_MAX];

	if (report->source.length > 0)
		printf("seen by the far side as %s\n", address_format(&report->source, text));
	if (report->dscp < 0)
		return;
	printf("arrived there with DSCP %d, ECN %s", report->dscp, ecn_name((unsigned)report->ecn));
	if (report->dscp != tos >> 2 || report->ecn != (int)(tos & TRAFFIC_CLASS_ECN))
		printf(", sent with DSCP %d, ECN %s", tos >> 2, ecn_name(tos));
	putchar('\n');
}

/* What an interval has; what concerns the far side itself is for the summary. */
static void print_interval(struct far_side *far, uint64_t lost)
{
	uint64_t there, back;

	if (split(far, lost, &there, &back) == SPLIT)
		print_losses(far, lost);
	print_one_way(far);
	print_variation("there", &far->there);
	print_variation("back", &far->back);
	if (far->present)
		print_hops(&far->latest);
}

void far_side_print(struct far_side *far, uint64_t lost, uint8_t tos)
{
	if (far->is_interval) {
		print_interval(far, lost);
		return;
	}
	if (!far->present) {
		puts("nothing known about each way: no reply had the figures of the far side");
		return;
	}
	print_losses(far, lost);
	print_one_way(far);
	print_variation("there", &far->there);
	print_variation("back", &far->back);
	if (far->turnaround.count > 0) {
		print_latency("turnaround", &far->turnaround);
		puts(", not part of the round trip");
	}
	print_hops(&far->latest);
	print_seen(&far->latest, tos);
}
