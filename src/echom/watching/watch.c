/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The life of a watch: when a probe is due, when one is given up, when its name is looked up again.
 * What is sent and received is in exchange.c. Owns its link, flow, timer and texts.
 */

#include "config.h"

#include "echom/watching/watch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/bounded_text.h"
#include "base/events.h"
#include "daemon/log.h"
#include "echom/watching/exchange.h"
#include "echom/watching/names.h"
#include "probe/stopped.h"

#define OUTAGE_PROBES 2 /* lost in a row */
#define WINDOW_MIN 16
#define WINDOW_MAX (1u << 14)
#define ATTEMPTS 2 /* to connect, at a time */
#define RETRY_NAME (10 * NS_PER_S)
#define LABELS_SIZE 1024

static uint64_t interval_of(const struct watch *watch)
{
	return watch->settings->interval * NS_PER_MS;
}

/* The next thing to do: a probe, or giving up one. */
static void arm(struct watch *watch)
{
	uint64_t oldest = flow_oldest_waiting(&watch->flow);
	uint64_t expiry =
		oldest != 0 ? flow_sent_at(&watch->flow, oldest) + watch->flow.timeout : UINT64_MAX;

	if (watch->due < expiry)
		expiry = watch->due;
	if (expiry != UINT64_MAX)
		events_arm(&watch->timer, expiry);
}

static void on_name(void *context, const struct target *target, const struct reason *reason)
{
	struct watch *watch = context;
	uint64_t now = clock_ns();

	watch->request = NULL;
	watch->name_failed = !target;
	watch->resolve_due = now + (target ? watch->settings->resolve * NS_PER_MS : RETRY_NAME);
	if (!target) {
		watch->counts.resolve_failures++;
		log_info("target %s: %s", watch_name(watch->settings), reason->text);
		return;
	}
	watch_find(watch, target, now);
}

static void ask_name(struct watch *watch, uint64_t now)
{
	if (watch->request || now < watch->resolve_due)
		return;
	watch->request = names_ask(watch->shared->names, watch->settings, watch->name_failed,
				   on_name, watch);
	if (!watch->request)
		watch->resolve_due = now + RETRY_NAME;
}

/* After a stop of ours: continue, do not catch up. Nobody knows what the path was in it. */
static void schedule_next(struct watch *watch, uint64_t now)
{
	uint64_t interval = interval_of(watch);
	struct outage_pause pause = {.before = flow_next(&watch->flow)};

	lateness_add(&watch->shared->lateness, now - watch->due);
	if (watch->end && --watch->end->left == 0) {
		watch->due = UINT64_MAX;
		return;
	}
	watch->due += interval;
	if (watch->due + STOPPED_BEHIND >= now)
		return;
	pause.stopped = (now - watch->due) / interval * interval;
	watch->due += pause.stopped;
	if (pause.stopped > 0)
		outages_pause(&watch->outages, &pause);
}

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct watch *watch = context;
	uint64_t now = clock_ns();

	watch_expire(watch, now);
	if (now >= watch->due) {
		schedule_next(watch, now);
		ask_name(watch, now);
		watch_probe(watch);
	}
	arm(watch);
}

static size_t window_size(const struct watch_settings *settings)
{
	uint64_t size = 4 * (settings->timeout / settings->interval + 1);

	if (size < WINDOW_MIN)
		return WINDOW_MIN;
	return size > WINDOW_MAX ? WINDOW_MAX : (size_t)size;
}

/* Whatever is written of a watch begins with them. */
static struct label_text *make_labels(const struct watch_settings *settings)
{
	char bytes[LABELS_SIZE];
	struct bounded_text text;

	bounded_text_begin(&text, bytes, sizeof(bytes));
	bounded_text_add(&text, "target=\"%s\",address=\"", watch_name(settings));
	label_value_write(settings->address, &text);
	bounded_text_add(&text, "\",protocol=\"%s\"", watch_protocol_names[settings->protocol]);
	return label_text_new(bytes);
}

/*
 * A lost connection is re-established by the next probe, and not at once: a server that greets and
 * closes would be connected to without end.
 */
static int make_ports(struct watch *watch)
{
	bool is_tcp = watch->settings->protocol == WATCH_TCP;

	watch->port_count = (size_t)watch->settings->flows;
	watch->ports = calloc(watch->port_count, sizeof(watch->ports[0]));
	for (size_t i = 0; watch->ports && i < watch->port_count; i++) {
		struct watch_port *port = &watch->ports[i];

		port->watch = watch;
		port->link = (struct link){.user = &watch_link_user,
					   .context = port,
					   .base = watch->shared->base,
					   .target = &watch->target,
					   .flow = &watch->flow,
					   .max_attempts = is_tcp ? ATTEMPTS : 1,
					   .patience = watch->settings->timeout * NS_PER_MS};
		if (link_init(&port->link) < 0)
			return -1;
	}
	return watch->ports ? 0 : -1;
}

/* What only some targets need. */
static int make_parts(struct watch *watch)
{
	const struct watch_settings *settings = watch->settings;

	if (settings->protocol == WATCH_STAMP) {
		watch->reflector = reflector_new(settings, watch->port_count);
		if (!watch->reflector)
			return -1;
		watch->flow.size = reflector_size(watch->reflector);
	}
	if (watch->port_count == 1)
		return 0;
	watch->losses = port_losses_new(watch->port_count, clock_ns());
	return watch->losses ? 0 : -1;
}

static int begin(struct watch *watch)
{
	const struct watch_settings *settings = watch->settings;
	uint64_t run;

	if (getrandom(&run, sizeof(run), 0) < 0 ||
	    flow_init(&watch->flow, run, (size_t)settings->size, window_size(settings),
		      &watch->shared->books) < 0)
		return -1;
	watch->flow.timeout = settings->timeout * NS_PER_MS;
	outages_init(&watch->outages, OUTAGE_PROBES);
	hops_begin(&watch->hops);
	watch->labels = make_labels(settings);
	if (!watch->labels || make_ports(watch) < 0)
		return -1;
	return make_parts(watch);
}

/* One that does nothing yet. */
static struct watch *make(struct watching *shared, struct watchlist *list, size_t index)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->shared = shared;
	watch->list = watchlist_hold(list);
	watch->settings = &list->targets[index];
	watch->due = watch->resolve_due = UINT64_MAX;
	evtimer_assign(&watch->timer, shared->base, on_timer, watch);
	if (begin(watch) == 0)
		return watch;
	watch_free(watch);
	return NULL;
}

/* The first probe is due at DUE. NULL, and WATCH is freed, without memory. */
static struct watch *start(struct watch *watch, uint64_t due)
{
	watch->due = due;
	if (events_arm(&watch->timer, due) == 0)
		return watch;
	watch_free(watch);
	return NULL;
}

struct watch *watch_new(struct watching *shared, struct watchlist *list, size_t index,
			double fraction)
{
	struct watch *watch = make(shared, list, index);
	uint64_t now = clock_ns();

	if (!watch)
		return NULL;
	watch->resolve_due = now;
	ask_name(watch, now);
	return start(watch, now + (uint64_t)((double)interval_of(watch) * fraction));
}

struct watch *watch_new_ending(struct watching *shared, struct watchlist *list,
			       const struct target *target, struct watch_end *end)
{
	struct watch *watch = make(shared, list, 0);

	if (!watch)
		return NULL;
	watch->end = end;
	if (!target)
		return watch;
	watch->target = *target;
	watch->target.name = watch->settings->address;
	return start(watch, clock_ns());
}

bool watch_is_over(const struct watch *watch)
{
	return watch->end->left == 0 && flow_waiting(&watch->flow) == 0;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	names_cancel(watch->request);
	event_del(&watch->timer);
	for (size_t i = 0; watch->ports && i < watch->port_count; i++)
		link_clear(&watch->ports[i].link);
	free(watch->ports);
	free(watch->reflector);
	free(watch->losses);
	flow_clear(&watch->flow);
	free(watch->found);
	label_text_release(watch->labels);
	watchlist_release(watch->list);
	free(watch);
}

void watch_adopt(struct watch *watch, struct watchlist *list, size_t index)
{
	struct watchlist *before = watch->list;

	watch->list = watchlist_hold(list);
	watch->settings = &list->targets[index];
	watch->target.name = watch->settings->address;
	if (watch->found)
		watch->found->name = watch->settings->address;
	watchlist_release(before);
}

static void write_ways(const struct watch *watch, struct watch_state *state)
{
	const struct reflector *reflector = watch->reflector;
	uint64_t lost[WAYS];
	bool is_known = reflector && reflector_lost(reflector, lost);

	for (enum way way = WAY_THERE; way < WAYS; way++) {
		state->lost_on[way] = is_known ? (int64_t)lost[way] : STATE_UNKNOWN;
		state->dscp_changed[way] = reflector ? reflector->dscp_changed[way] : STATE_UNKNOWN;
	}
	state->hops[WAY_THERE] = watch->hops.there;
	state->hops[WAY_BACK] = watch->hops.back;
}

/* An outage lasts to the latest loss, not to now: its end may turn out to be earlier. */
struct watch_state watch_state(const struct watch *watch)
{
	struct outage_sums sums = outages_sum(&watch->outages);
	struct watch_state state = {
		.up = watch->up,
		.outstanding = flow_waiting(&watch->flow),
		.outages = sums.count,
		.outage_sum = sums.total,
		.outage_longest = sums.longest,
		.jitter = (uint64_t)watch->flow.jitter.value,
		.replied_at = watch->replied_at,
		.flows_lossy =
			watch->losses ? (int64_t)port_losses_lossy(watch->losses) : STATE_UNKNOWN,
	};

	write_ways(watch, &state);
	return state;
}
