/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Outages out of the fates of probes. A fate counts when all probes before it have theirs: one that
 * is answered while an earlier one still waits ends an outage only after that one was given up,
 * which is at most a timeout later. Nothing here grows with the length of a run.
 */

#include "config.h"

#include "probe/outages.h"

#include <math.h>
#include <string.h>

static void add(struct outage_sums *sums, const struct outage *outage)
{
	uint64_t duration = outage_duration(outage);

	if (sums->count == 0 || duration > sums->longest) {
		sums->longest = duration;
		sums->longest_begin = outage_began(outage);
	}
	sums->count++;
	sums->total += duration;
}

void outages_init(struct outages *outages, uint64_t least)
{
	*outages = (struct outages){.least = least, .next = 1};
}

bool outages_is_down(const struct outages *outages)
{
	return outages->current.lost >= outages->least && outages->current.end == 0;
}

uint64_t outage_began(const struct outage *outage)
{
	return outage->begin - outage->suspended;
}

uint64_t outage_duration(const struct outage *outage)
{
	if (outage->end == 0)
		return outage_shortest(outage);
	return outage->end - outage->begin - outage->stopped;
}

uint64_t outage_shortest(const struct outage *outage)
{
	return outage->lost_until - outage->begin - outage->stopped_until_last;
}

uint64_t outage_longest(const struct outage *outage)
{
	return outage->before != 0 && outage->end != 0 ? outage->end - outage->before : 0;
}

struct outage_sums outages_sum(const struct outages *outages)
{
	struct outage_sums sums = outages->ended;

	if (outages_is_down(outages))
		add(&sums, &outages->current);
	return sums;
}

double outages_up_percent(const struct outages *outages)
{
	uint64_t span = outages->last - outages->first;

	if (span == 0)
		return (double)NAN;
	return 100.0 * (1.0 - (double)outages_sum(outages).total / (double)span);
}

/* Losses in a row, perhaps not yet an outage. */
static bool is_losing(const struct outages *outages)
{
	return outages->current.lost > 0 && outages->current.end == 0;
}

void outages_excuse(struct outages *outages, uint64_t sequence)
{
	outages->excused = sequence;
}

/* Of too many the last one stands for the rest. */
void outages_pause(struct outages *outages, const struct outage_pause *pause)
{
	struct outage_pause *last;

	if (outages->pause_count < OUTAGE_PAUSES) {
		outages->pauses[outages->pause_count++] = *pause;
		return;
	}
	last = &outages->pauses[OUTAGE_PAUSES - 1];
	last->stopped += pause->stopped;
	last->suspended += pause->suspended;
}

/* Those before SEQUENCE are part of what is lost in a row, or of nothing. */
static void pass_pauses(struct outages *outages, uint64_t sequence)
{
	size_t passed = 0;

	for (; passed < outages->pause_count && outages->pauses[passed].before <= sequence;
	     passed++) {
		if (!is_losing(outages))
			continue;
		outages->current.stopped += outages->pauses[passed].stopped;
		outages->current.suspended += outages->pauses[passed].suspended;
	}
	outages->pause_count -= passed;
	memmove(outages->pauses, outages->pauses + passed,
		outages->pause_count * sizeof(*outages->pauses));
}

static enum outage_event enter_lost(struct outages *outages, uint64_t sent)
{
	struct outage *current = &outages->current;

	if (current->lost == 0 || current->end != 0)
		*current = (struct outage){.before = outages->answered, .begin = sent};
	current->lost_until = sent;
	current->stopped_until_last = current->stopped;
	current->lost++;
	return current->lost == outages->least ? OUTAGE_BEGAN : OUTAGE_UNCHANGED;
}

static enum outage_event enter_answered(struct outages *outages, uint64_t sent)
{
	bool was_down = outages_is_down(outages);

	outages->answered = sent;
	if (!was_down) {
		outages->current.lost = 0;
		return OUTAGE_UNCHANGED;
	}
	outages->current.end = sent;
	add(&outages->ended, &outages->current);
	return OUTAGE_ENDED;
}

enum outage_event outages_enter(struct outages *outages, uint64_t sent, bool answered)
{
	if (outages->first == 0)
		outages->first = sent;
	outages->last = sent;
	return answered ? enter_answered(outages, sent) : enter_lost(outages, sent);
}

static enum outage_event enter_sequence(struct outages *outages, const struct flow *flow,
					uint64_t sequence)
{
	if (outages->pause_count > 0)
		pass_pauses(outages, sequence);
	if (sequence == outages->excused) {
		outages->current.own_losses += is_losing(outages);
		return OUTAGE_UNCHANGED;
	}
	return outages_enter(outages, flow_sent_at(flow, sequence),
			     flow_was_in_time(flow, sequence));
}

enum outage_event outages_follow(struct outages *outages, const struct flow *flow, uint64_t until)
{
	enum outage_event event = OUTAGE_UNCHANGED;
	uint64_t sequence;

	while (event == OUTAGE_UNCHANGED &&
	       (sequence = flow_settled(flow, &outages->next, until)) != 0)
		event = enter_sequence(outages, flow, sequence);
	return event;
}
