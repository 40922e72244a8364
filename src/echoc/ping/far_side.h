/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a far side that also measures adds to a ping: losses, delays and hops of each way. Owns the
 * delays; the pinger has one, and settle.c enters each reply.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "echoc/say/json.h"
#include "probe/delay_variation.h"
#include "probe/directional_loss.h"
#include "probe/far_report.h"
#include "probe/latency.h"

/* A reply as settle.c knows it. */
struct far_reply {
	uint64_t sequence; /* from 0 */
	uint64_t time;	   /* when it came */
	bool duplicate;
	bool in_time; /* and not a duplicate */
};

struct far_side {
	bool present; /* a reply had a report */
	bool counts;  /* it counts what it answers; else its numbers are those of the probes */
	struct directional_loss loss;
	struct delay_variation there, back;
	struct latency there_us, back_us; /* one way, if the clocks allow for it */
	struct latency turnaround;
	double error;			/* the largest */
	struct far_report latest;	/* for hops, marks and the address */
	bool is_interval;		/* not the whole run; its losses are without */
	uint64_t lost_there, lost_back; /* those of earlier ones */
};

void far_side_enter(struct far_side *far, const struct far_reply *reply,
		    const struct far_report *report);
void far_side_clear(struct far_side *far);

/*
 * Of an interval: losses are those of the whole run, without what was known before. LOST is, of the
 * run, how many probes have no reply, awaited ones included.
 */
void far_side_end_interval(struct far_side *interval, const struct far_side *whole);
void far_side_next_interval(struct far_side *interval, uint64_t lost);

/* The members of a reply, and of the summary or an interval; LOST probes never came back. */
void far_report_put(const struct far_report *report, struct json *json);
void far_side_put(struct far_side *far, struct json *json, uint64_t lost);

/* The same for people: the end of a line, and lines. Probes are sent with TOS. */
void far_report_print(const struct far_report *report);
void far_side_print(struct far_side *far, uint64_t lost, uint8_t tos);
