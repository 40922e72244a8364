/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See settle.h. Owns nothing. */

#include "config.h"

#include "echom/watching/settle.h"

#include "base/clock.h"
#include "daemon/log.h"
#include "echom/watching/watched.h"
#include "probe/stopped.h"

#define OUTAGE_LINES 20
#define OUTAGE_LINES_EVERY_MS 10000

static struct log_throttle outage_lines = {.period_ms = OUTAGE_LINES_EVERY_MS,
					   .burst = OUTAGE_LINES};

static void log_outage(const struct watch *watch, enum outage_event event)
{
	const struct outage *outage = &watch->outages.current;
	const char *name = watch_name(watch->settings);
	unsigned suppressed;

	if (!log_throttle_pass(&outage_lines, clock_ms(), &suppressed))
		return;
	if (suppressed > 0)
		log_notice("%u line%s about targets suppressed", suppressed,
			   suppressed == 1 ? "" : "s");
	if (event == OUTAGE_BEGAN)
		log_notice("target %s: down: %llu probes lost in a row", name,
			   (unsigned long long)outage->lost);
	else
		log_notice("target %s: up: outage of %.3f s, %llu probes lost", name,
			   (double)outage_duration(outage) / (double)NS_PER_S,
			   (unsigned long long)outage->lost);
}

static void remember_outage(struct watch *watch)
{
	const struct outage *outage = &watch->outages.current;
	uint64_t ago = clock_ns() - outage->begin;

	history_outage(&watch->history,
		       &(struct past_outage){.begin = clock_read(CLOCK_REALTIME) - ago,
					     .duration = outage_duration(outage),
					     .lost = outage->lost});
}

static void follow_outages(struct watch *watch)
{
	enum outage_event event;

	while ((event = outages_follow(&watch->outages, &watch->flow, flow_oldest(&watch->flow))) !=
	       OUTAGE_UNCHANGED) {
		if (!watch->end)
			log_outage(watch, event);
		if (event == OUTAGE_ENDED)
			remember_outage(watch);
		else
			watch->up = false;
	}
}

static void tell_of_change(const struct watch *watch)
{
	if (watch->end)
		watch->end->changed(watch->end->context);
}

static void enter_fate(struct watch *watch, uint64_t sequence, bool lost)
{
	if (watch->losses)
		port_losses_enter(watch->losses, watch_port_of(watch, sequence), lost, clock_ns());
}

/* It is lost on the flow. */
static void enter_lost(struct watch *watch, uint64_t sequence)
{
	watch->counts.lost++;
	history_lost(&watch->history, clock_ns());
	enter_fate(watch, sequence, true);
	if (watch->reflector)
		reflector_lose(watch->reflector, watch_port_of(watch, sequence),
			       flow_waiting(&watch->flow));
}

static void enter_received(struct watch *watch, uint64_t sequence, uint64_t rtt)
{
	watch->replied_at = clock_read(CLOCK_REALTIME);
	watch->up = true;
	history_received(&watch->history, watch->reception.time, rtt);
	enter_fate(watch, sequence, false);
}

/* Of datagrams to the first port. */
static void enter_hops(struct watch *watch, uint64_t sequence)
{
	const struct reflector *reflector = watch->reflector;

	if (watch->target.datagram && watch_port_of(watch, sequence) == 0)
		hops_enter(&watch->hops, watch_number_of(watch, sequence), watch->reception.ttl,
			   reflector ? reflector->far_ttl : 0, watch->ports[0].ttl);
}

/* Without what the far side took; but what came too late stays late. */
static uint64_t time_on_the_path(const struct watch *watch, uint64_t sequence)
{
	uint64_t latest = flow_sent_at(&watch->flow, sequence) + watch->flow.timeout;
	uint64_t time = watch->reception.time;

	if (time > latest && stopped_hides_time(&watch->flow, sequence, &watch->reception,
						watch->target.datagram, watch->woken))
		return latest;
	if (!watch->reflector || time > latest)
		return time;
	return time - watch->reflector->report.turnaround;
}

/* Of replies that came to several ports meanwhile, any may be read first. */
static bool is_in_order(struct watch *watch, uint64_t sequence)
{
	if (sequence < watch->flow.highest)
		return watch->reception.time < watch->highest_at;
	if (sequence > watch->flow.highest)
		watch->highest_at = watch->reception.time;
	return true;
}

void watch_settle_reply(struct watch *watch, uint64_t sequence, const struct finding *finding,
			size_t bytes)
{
	bool was_waiting = flow_awaits(&watch->flow, sequence);
	bool in_order = is_in_order(watch, sequence);
	uint64_t rtt;
	enum fate fate = flow_reply(&watch->flow, sequence, finding, bytes,
				    time_on_the_path(watch, sequence), &rtt);

	counts_reply(&watch->counts, fate, finding, rtt, in_order);
	if (fate == FATE_RECEIVED)
		enter_received(watch, sequence, rtt);
	else if (was_waiting)
		enter_lost(watch, sequence); /* it was not given up in time */
	enter_hops(watch, sequence);
	if (watch->reflector)
		reflector_enter(watch->reflector, watch_port_of(watch, sequence), sequence,
				watch->reception.time, fate, flow_waiting(&watch->flow));
	follow_outages(watch);
	tell_of_change(watch);
}

void watch_settle_lost(struct watch *watch, uint64_t sequence, const char *why)
{
	flow_lose(&watch->flow, sequence);
	enter_lost(watch, sequence);
	log_debug("target %s: probe %llu lost: %s", watch_name(watch->settings),
		  (unsigned long long)sequence, why);
	follow_outages(watch);
	tell_of_change(watch);
}

void watch_settle_refusal(struct watch *watch)
{
	if (!watch->end)
		return;
	watch->end->refusals++;
	tell_of_change(watch);
}
