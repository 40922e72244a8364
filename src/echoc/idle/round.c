/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See round.h. */

#include "config.h"

#include "echoc/idle/round.h"

#include <poll.h>

#include "base/clock.h"
#include "echoc/command/signals.h"

#define FLOWS_MAX (WAITS_MAX + 1)
#define LONGEST_MS 60000 /* at a time */

struct flows {
	struct silent_flow flows[FLOWS_MAX]; /* the last one is never silent */
	size_t count;
	bool reported[FLOWS_MAX];
};

static int open_flows(struct flows *flows, const struct round *round, const uint64_t *waits,
		      struct reason *reason)
{
	int sockets[FLOWS_MAX];
	uint64_t now;

	if (target_open_more(round->target, sockets, flows->count, round->timeout_ms, reason) < 0)
		return -1;
	now = clock_ns();
	for (size_t i = 0; i < flows->count; i++)
		silent_flow_start(&flows->flows[i], round->form, sockets[i],
				  i + 1 < flows->count ? waits[i] : NEVER, now);
	return 0;
}

/* Silence says something about a flow only while another one is answered. */
static void judge_silence(const struct flows *flows, struct silent_flow *flow)
{
	const struct silent_flow *other = &flows->flows[flows->count - 1];

	if (flow->sign == SIGN_SILENCE && other->heard < flow->asked)
		flow->fate = FATE_PATH_DOWN;
}

/* How many are not done yet; 0 as well once one is forgotten. */
static size_t report(struct flows *flows, const struct round *round)
{
	size_t left = 0;
	bool forgotten = false;

	for (size_t i = 0; i + 1 < flows->count; i++) {
		struct silent_flow *flow = &flows->flows[i];

		left += flow->state != STATE_DONE;
		if (flow->state != STATE_DONE || flows->reported[i])
			continue;
		judge_silence(flows, flow);
		flows->reported[i] = true;
		forgotten |= flow->fate == FATE_FORGOTTEN;
		round->done(round->context, flow);
	}
	return forgotten ? 0 : left;
}

static uint64_t step_all(struct flows *flows, uint64_t now)
{
	uint64_t due = NEVER;

	for (size_t i = 0; i < flows->count; i++) {
		struct silent_flow *flow = &flows->flows[i];

		if (flow->due <= now)
			silent_flow_step(flow, now);
		if (flow->due < due)
			due = flow->due;
	}
	return due;
}

static void wait_for(struct flows *flows, uint64_t due)
{
	uint64_t now = clock_ns();
	uint64_t left = due > now ? (due - now) / NS_PER_MS + 1 : 0;
	struct pollfd ends[FLOWS_MAX + 1];

	for (size_t i = 0; i < flows->count; i++)
		ends[i] = (struct pollfd){.fd = flows->flows[i].fd, .events = POLLIN};
	ends[flows->count] = signals_poll();
	if (poll(ends, (nfds_t)flows->count + 1, (int)(left < LONGEST_MS ? left : LONGEST_MS)) <= 0)
		return;
	now = clock_ns();
	for (size_t i = 0; i < flows->count; i++) {
		if (ends[i].revents != 0)
			silent_flow_read(&flows->flows[i], now);
	}
}

int round_run(const struct round *round, const uint64_t *waits, size_t count, struct reason *reason)
{
	struct flows flows = {.count = count + 1};

	if (open_flows(&flows, round, waits, reason) < 0)
		return -1;
	while (report(&flows, round) > 0 && signals_caught() == 0)
		wait_for(&flows, step_all(&flows, clock_ns()));
	for (size_t i = 0; i < flows.count; i++)
		silent_flow_end(&flows.flows[i]);
	return 0;
}
