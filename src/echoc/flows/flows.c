/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * flows: many source ports on one schedule, so that a path that loses shows in the flows that take
 * it. Owns the flows; main calls it.
 */

#include "config.h"

#include "echoc/flows/findings.h"
#include "echoc/flows/flow_set.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/events.h"
#include "echoc/command/mode.h"
#include "echoc/command/signals.h"
#include "echoc/say/live_line.h"
#include "echoc/say/report.h"
#include "echoc/say/terminal.h"
#include "probe/socket_drops.h"

#define BUFFER_SIZE (256u << 10)
#define TICK (20 * NS_PER_MS)
#define LIVE_EACH (200 * NS_PER_MS)

/*
 * What is sent late at once, at most: no burst after a stop of ours, which a buffer on the way
 * could lose.
 */
#define LATE_MAX (100 * NS_PER_MS)
#define BURST_TIME (20 * NS_PER_MS)
#define BURST_LEAST 128u

static bool has_sent_all(const struct flows *flows, uint64_t now)
{
	return flows->stopped != 0 || (now >= flows->schedule.end &&
				       flows->fired >= schedule_count(&flows->schedule, now));
}

/*
 * In each round all ports in another order: what drops every n-th packet must not hit the same
 * flow each time.
 */
static struct source_port *next_port(struct flows *flows)
{
	size_t place = (size_t)(flows->fired % flows->count);
	size_t other = place + (size_t)flows_random(flows, flows->count - place);
	uint32_t chosen = flows->order[other];

	flows->order[other] = flows->order[place];
	flows->order[place] = chosen;
	flows->fired++;
	return &flows->ports[chosen];
}

static uint64_t burst_max(uint64_t rate)
{
	uint64_t late = rate * LATE_MAX / NS_PER_S;
	uint64_t burst = rate * BURST_TIME / NS_PER_S;

	if (burst < BURST_LEAST)
		burst = BURST_LEAST;
	return (burst < late ? burst : late) + 1;
}

static uint64_t skip_missed(struct flows *flows, uint64_t now)
{
	uint64_t due = schedule_count(&flows->schedule, now);

	if (due > flows->fired + burst_max(flows->schedule.rate)) {
		flows->skipped += due - 1 - flows->fired;
		flows->fired = due - 1;
	}
	return due;
}

static void on_due(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct flows *flows = context;
	uint64_t now = clock_ns();
	uint64_t due;

	flows_note_turn(flows, now);
	if (flows->stopped != 0)
		return;
	due = skip_missed(flows, now);
	while (flows->fired < due)
		source_port_send(next_port(flows), clock_ns());
	if (now < flows->schedule.end)
		(void)events_arm(&flows->due_timer, schedule_due(&flows->schedule, flows->fired));
}

static bool waits(const struct flows *flows)
{
	for (size_t i = 0; i < flows->count; i++) {
		if (flow_waiting(&flows->ports[i].flow) > 0)
			return true;
	}
	return false;
}

static bool is_live(const struct flows *flows)
{
	return !flows->arguments->json && terminal_is(stdout);
}

static void show_progress(struct flows *flows, uint64_t now)
{
	if (!is_live(flows) || now - flows->drawn < LIVE_EACH)
		return;
	flows->drawn = now;
	flows_draw_live(flows, now);
}

static void end_live(struct flows *flows)
{
	if (flows->drawn > 0)
		live_line_erase();
	flows->drawn = 0;
}

static void on_tick(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct flows *flows = context;
	uint64_t now = clock_ns();
	bool done = has_sent_all(flows, now);

	flows_note_turn(flows, now);
	show_progress(flows, now);
	for (size_t i = 0; i < flows->count; i++) {
		flows->ports[i].link.wanted = !done;
		source_port_tick(&flows->ports[i], now);
	}
	if (done && !waits(flows))
		event_base_loopbreak(flows->base);
	else
		(void)events_arm(&flows->tick_timer, now + TICK);
}

static void begin(struct flows *flows)
{
	const struct arguments *arguments = flows->arguments;
	uint64_t now = clock_ns();

	flows->schedule = (struct schedule){.start = now,
					    .end = now + arguments->duration_ms * NS_PER_MS,
					    .rate = arguments->rate,
					    .count = 1};
	(void)events_arm(&flows->due_timer, now);
	(void)events_arm(&flows->tick_timer, now + TICK);
}

/* The first one stops and waits for what is on its way, the second one does not. */
static void on_stop(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct flows *flows = context;
	uint64_t now = clock_ns();

	if (signal_is_repeated(flows->stopped, now))
		return;
	if (flows->stopped != 0 || flows->schedule.start == 0)
		event_base_loopbreak(flows->base);
	else
		(void)skip_missed(flows, now);
	flows->stopped = now;
}

static void on_quit(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct flows *flows = context;
	struct books *sum = calloc(1, sizeof(*sum));

	end_live(flows);
	for (size_t i = 0; sum && i < flows->count; i++)
		books_merge(sum, &flows->ports[i].books);
	if (sum)
		report_progress(stderr, sum);
	free(sum);
}

static int make_events(struct flows *flows)
{
	static const int signals[FLOWS_SIGNALS] = {SIGINT, SIGTERM, SIGQUIT};

	flows->base =
		events_new_base(EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME);
	if (!flows->base)
		return -1;
	evtimer_assign(&flows->due_timer, flows->base, on_due, flows);
	evtimer_assign(&flows->tick_timer, flows->base, on_tick, flows);
	for (size_t i = 0; i < FLOWS_SIGNALS; i++)
		evsignal_assign(&flows->signals[i], flows->base, signals[i],
				signals[i] == SIGQUIT ? on_quit : on_stop, flows);
	return 0;
}

static int flows_init(struct flows *flows, const struct arguments *arguments, struct target *target,
		      struct reason *reason)
{
	size_t count = (size_t)arguments->flows;

	memset(flows, 0, sizeof(*flows));
	flows->arguments = arguments;
	flows->target = target;
	flows->connected = begin;
	flows->buffer_size = BUFFER_SIZE;
	flows->buffer = malloc(flows->buffer_size);
	flows->order = calloc(count, sizeof(*flows->order));
	if (getrandom(&flows->run, sizeof(flows->run), 0) < 0)
		return reason_set(reason, "no random number for the run");
	flows->random = flows->run;
	if (!flows->buffer || !flows->order || make_events(flows) < 0)
		return reason_set(reason, "out of memory");
	for (size_t i = 0; i < count; i++)
		flows->order[i] = (uint32_t)i;
	return 0;
}

/* Whether the name has an address that answers; over TCP one flow may lose what others do not. */
static int choose_target(struct flows *flows, struct reason *reason)
{
	struct target *target = flows->target;
	struct address source = target->source;
	int fd;

	address_set_port(&target->source, 0);
	fd = target_open(target, flows->arguments->timeout_ms, reason);
	target->source = source;
	if (fd < 0 && !target->down)
		return -1;
	report_choice(target, reason, flows->arguments->verbose);
	if (fd >= 0)
		close(fd);
	return 0;
}

static int start(struct flows *flows, struct reason *reason)
{
	if (choose_target(flows, reason) < 0 || flows_open(flows, reason) < 0)
		return -1;
	for (size_t i = 0; i < FLOWS_SIGNALS; i++) {
		if (event_add(&flows->signals[i], NULL) < 0)
			return reason_set(reason, "out of memory");
	}
	if (events_arm(&flows->due_timer, UINT64_MAX / 2) < 0 ||
	    events_arm(&flows->tick_timer, UINT64_MAX / 2) < 0 ||
	    (!flows->target->datagram && flows_connect(flows) < 0))
		return reason_set(reason, "out of memory");
	if (flows->arguments->json)
		flows_put_start(flows);
	else
		flows_print_start(flows);
	if (flows->target->datagram)
		begin(flows);
	return 0;
}

static void settle_rest(struct flows *flows)
{
	for (size_t i = 0; i < flows->count; i++) {
		struct source_port *port = &flows->ports[i];

		if (port->target.datagram)
			port->books.own_drops = socket_drops(port->link.fd);
		else
			port->retransmits = link_tcp_figures(&port->link).retransmits;
		link_lose_waiting(&port->link, "stopped");
		stream_count_unexpected(&port->link.stream);
		books_add_jitter(&port->books, &port->flow.jitter);
	}
}

static enum echoc_status finish(struct flows *flows)
{
	enum echoc_status status = ECHOC_DAMAGED;
	struct findings findings;

	settle_rest(flows);
	end_live(flows);
	if (flow_findings_make(&findings, flows) < 0) {
		fputs("echoc: out of memory\n", stderr);
	} else {
		if (flows->arguments->json)
			flows_put_end(flows, &findings);
		else
			flows_print_end(flows, &findings);
		/* A signal may come before the first probe. */
		if (books_clean(&findings.sum) && findings.sum.sent > 0 && findings.lossy == 0 &&
		    !flows->broken)
			status = ECHOC_INTACT;
	}
	flow_findings_clear(&findings);
	return status;
}

static void flows_clear(struct flows *flows)
{
	flows_close(flows);
	if (flows->base)
		event_base_free(flows->base);
	free(flows->order);
	free(flows->buffer);
}

enum echoc_status flows_run(const struct arguments *arguments, struct target *target)
{
	enum echoc_status status = ECHOC_UNABLE;
	struct reason reason;
	struct flows flows;

	if (flows_init(&flows, arguments, target, &reason) == 0 && start(&flows, &reason) == 0) {
		flows.broken = event_base_dispatch(flows.base) < 0;
		if (flows.broken)
			fputs("echoc: cannot wait for events: the result is incomplete\n", stderr);
		status = finish(&flows);
		signals_block();
	} else {
		fprintf(stderr, "echoc: %s\n", reason.text);
	}
	flows_clear(&flows);
	return status;
}
