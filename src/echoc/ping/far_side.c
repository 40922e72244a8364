/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See far_side.h. */

#include "config.h"

#include "echoc/ping/far_side.h"

#include <math.h>

static uint64_t not_negative(int64_t value)
{
	return value > 0 ? (uint64_t)value : 0;
}

static void enter_times(struct far_side *far, uint64_t time, const struct far_report *report)
{
	const struct delay there = {(int64_t)time, report->there};
	const struct delay back = {(int64_t)time, report->back};

	delay_variation_enter(&far->there, &there);
	delay_variation_enter(&far->back, &back);
	latency_add(&far->turnaround, report->turnaround, 1);
	if (!isfinite(report->error))
		return;
	latency_add(&far->there_us, not_negative(report->there), 1);
	latency_add(&far->back_us, not_negative(report->back), 1);
	far->error = fmax(far->error, report->error);
}

void far_side_enter(struct far_side *far, const struct far_reply *reply,
		    const struct far_report *report)
{
	const struct numbered_reply numbered = {reply->time, reply->sequence, report->count,
						reply->duplicate};

	if (!report->present)
		return;
	far->present = true;
	far->counts |= report->counted;
	far->latest = *report;
	directional_loss_enter(&far->loss, &numbered);
	if (reply->in_time && report->timed)
		enter_times(far, reply->time, report);
}

void far_side_end_interval(struct far_side *interval, const struct far_side *whole)
{
	interval->is_interval = true;
	interval->counts = whole->counts;
	interval->loss = whole->loss;
}

void far_side_next_interval(struct far_side *interval, uint64_t lost)
{
	struct far_side next = {.lost_there = interval->lost_there,
				.lost_back = interval->lost_back};
	uint64_t there, back;

	if (interval->counts && directional_loss_split(&interval->loss, lost, &there, &back)) {
		next.lost_there = there;
		next.lost_back = back;
	}
	far_side_clear(interval);
	*interval = next;
}

void far_side_clear(struct far_side *far)
{
	delay_variation_clear(&far->there);
	delay_variation_clear(&far->back);
}
