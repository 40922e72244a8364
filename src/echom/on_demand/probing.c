/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * See probing.h. A name means here what it meant when its addresses were checked: it is looked up
 * once. As long as none of several addresses has answered, each gets books of its own.
 */

#include "config.h"

#include "echom/on_demand/probing.h"

#include <event2/event_struct.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/events.h"
#include "daemon/http/message.h"
#include "echom/on_demand/demand.h"
#include "echom/status/scrape.h"
#include "echom/watching/names.h"
#include "echom/watching/watch.h"

#define SIZE 64 /* of each probe */

struct probing {
	struct probing_setup setup;
	struct demand demand;
	struct watchlist *list; /* of one target, for the watch */
	struct event timer;
	uint64_t began;
	uint64_t ended; /* 0: it is not over */
	struct name_request *lookup;
	struct target target; /* the addresses that may be probed */
	size_t next;	      /* of them, to be tried */
	struct watch *watch;
	struct watch_end end;
	const char *status;
	struct reason reason; /* for another status, or for the lack of an address */
};

bool probing_is_over(const struct probing *probing)
{
	return probing->ended > 0;
}

static void finish(struct probing *probing)
{
	if (probing_is_over(probing))
		return;
	probing->ended = clock_ns();
	event_del(&probing->timer);
	probing->setup.over(probing->setup.context);
}

static void run_out_of_memory(struct probing *probing)
{
	probing->status = HTTP_UNAVAILABLE;
	(void)reason_set(&probing->reason, "Out of memory: ask again later.");
	finish(probing);
}

static uint64_t deadline(const struct probing *probing)
{
	return probing->began + probing->demand.limit * NS_PER_MS;
}

static void arm(struct probing *probing, uint64_t due)
{
	if (events_arm(&probing->timer, due < deadline(probing) ? due : deadline(probing)) < 0)
		run_out_of_memory(probing);
}

/* Another address may do better. */
static bool is_hopeless(const struct probing *probing)
{
	const struct counts *counts = &probing->watch->counts;

	return probing->next < probing->target.count && counts->received == 0 &&
	       (counts->lost > 0 || probing->end.refusals > 0);
}

/* The watch calls: it is freed in a later turn of the loop. */
static void on_changed(void *context)
{
	struct probing *probing = context;

	if (is_hopeless(probing))
		arm(probing, 0);
	else if (watch_is_over(probing->watch))
		finish(probing);
}

/* Without a target nothing is probed. False: there was no memory, and it is over. */
static bool watch(struct probing *probing, const struct target *target)
{
	watch_free(probing->watch);
	probing->end = (struct watch_end){
		.left = probing->demand.count, .changed = on_changed, .context = probing};
	probing->watch =
		watch_new_ending(probing->setup.shared, probing->list, target, &probing->end);
	if (!probing->watch)
		run_out_of_memory(probing);
	return probing->watch != NULL;
}

static void probe_next_address(struct probing *probing)
{
	struct target target = probing->target;

	target.candidates[0] = target.candidates[probing->next++];
	target.count = 1;
	if (watch(probing, &target))
		arm(probing, UINT64_MAX);
}

static void fail_to_find(struct probing *probing, const char *why)
{
	(void)reason_set(&probing->reason, "%s", why);
	if (!watch(probing, NULL))
		return;
	probing->watch->counts.resolve_failures++;
	finish(probing);
}

/* 0.0.0.0 is this host, and a group is many: neither is the one address that was allowed. */
static bool is_one_host(const struct in6_addr *ip)
{
	if (IN6_IS_ADDR_V4MAPPED(ip))
		return ip->s6_addr32[3] != htonl(INADDR_ANY) &&
		       !IN_MULTICAST(ntohl(ip->s6_addr32[3]));
	return !IN6_IS_ADDR_UNSPECIFIED(ip) && !IN6_IS_ADDR_MULTICAST(ip);
}

static bool may_reach(const struct probing *probing, const struct address *address)
{
	struct in6_addr ip;

	return address_ip(&address->sa, &ip) && is_one_host(&ip) &&
	       netlist_contains(&probing->setup.list->server.probe_targets, &ip);
}

static void keep_allowed(struct probing *probing, const struct target *found)
{
	struct target *target = &probing->target;

	*target = *found;
	target->count = 0;
	for (size_t i = 0; i < found->count; i++) {
		if (may_reach(probing, &found->candidates[i]))
			target->candidates[target->count++] = found->candidates[i];
	}
}

static void on_name(void *context, const struct target *found, const struct reason *reason)
{
	struct probing *probing = context;
	char text[ADDRESS_TEXT_MAX];

	probing->lookup = NULL;
	if (!found) {
		fail_to_find(probing, reason->text);
		return;
	}
	keep_allowed(probing, found);
	if (probing->target.count > 0) {
		probe_next_address(probing);
		return;
	}
	probing->status = HTTP_FORBIDDEN;
	(void)reason_set(&probing->reason, "%s is not in probe_targets.",
			 address_format(&found->candidates[0], text));
	finish(probing);
}

static void give_up_lookup(struct probing *probing)
{
	names_cancel(probing->lookup);
	probing->lookup = NULL;
	fail_to_find(probing, "no answer to the lookup of the name in time");
}

static void on_timer(evutil_socket_t fd UNUSED, short what UNUSED, void *context)
{
	struct probing *probing = context;

	if (probing->lookup)
		give_up_lookup(probing);
	else if (clock_ns() < deadline(probing) && is_hopeless(probing))
		probe_next_address(probing);
	else
		finish(probing);
}

/* To be released as any other list. */
static struct watchlist *list_of(const struct demand *demand)
{
	struct watchlist *list = calloc(1, sizeof(*list));
	struct watch_settings *settings = list ? calloc(1, sizeof(*settings)) : NULL;

	if (!settings) {
		free(list);
		return NULL;
	}
	memcpy(settings->address, demand->address, sizeof(settings->address));
	settings->protocol = demand->protocol;
	settings->interval = demand->interval;
	settings->timeout = demand->timeout;
	settings->size = SIZE;
	settings->flows = 1;
	list->references = 1;
	list->targets = settings;
	list->count = 1;
	return list;
}

/* An address, which is looked up without asking anybody. */
static bool is_literal(const char *text)
{
	char host[TARGET_NAME_MAX];
	struct reason ignored;
	struct address address;
	uint16_t port;

	return target_split(text, TARGET_DEFAULT_PORT, host, &port, &ignored) == 0 &&
	       address_from_ip(&address, host, port, &ignored) == 0;
}

static void begin(struct probing *probing)
{
	const struct watch_settings *settings = probing->list->targets;
	const struct target_options options = names_options(settings);
	struct target target;
	struct reason reason;

	if (is_literal(settings->address)) {
		int result = target_resolve(&target, &options, SIZE, &reason);

		on_name(probing, result == 0 ? &target : NULL, &reason);
		return;
	}
	/* Behind the names of targets: it may be any name, one that hangs, too. */
	probing->lookup = names_ask(probing->setup.names, settings, true, on_name, probing);
	if (probing->lookup)
		arm(probing, probing->began + probing->demand.timeout * NS_PER_MS);
	else
		run_out_of_memory(probing);
}

struct probing *probing_new(const struct probing_setup *setup, const struct demand *demand)
{
	struct probing *probing = calloc(1, sizeof(*probing));

	if (!probing)
		return NULL;
	probing->list = list_of(demand);
	if (!probing->list) {
		free(probing);
		return NULL;
	}
	probing->setup = *setup;
	probing->demand = *demand;
	probing->status = HTTP_OK;
	probing->began = clock_ns();
	evtimer_assign(&probing->timer, setup->shared->base, on_timer, probing);
	begin(probing);
	return probing;
}

void probing_free(struct probing *probing)
{
	if (!probing)
		return;
	names_cancel(probing->lookup);
	event_del(&probing->timer);
	watch_free(probing->watch);
	watchlist_release(probing->list);
	free(probing);
}

/* Something came back as it was sent. */
static bool succeeded(const struct probing *probing)
{
	const struct counts *counts = &probing->watch->counts;

	return counts->received > counts->corrupt + counts->truncated;
}

/* What was probed, or why nothing was: a comment, for people. */
static void write_comment(const struct probing *probing, struct bounded_text *text)
{
	const struct target *target = &probing->watch->target;
	char address[ADDRESS_TEXT_MAX];

	if (target->count > 0)
		bounded_text_add(text, "# %s is %s\n", probing->demand.address,
				 address_format(&target->candidates[0], address));
	else
		bounded_text_add(text, "# %s\n", probing->reason.text);
}

void probing_report(const struct probing *probing, struct http_reply *reply)
{
	uint64_t took = probing->ended - probing->began;
	struct bounded_text *text = &reply->body;

	if (strcmp(probing->status, HTTP_OK) != 0) {
		reply->status = probing->status;
		bounded_text_add(text, "%s\n", probing->reason.text);
		return;
	}
	reply->type = SCRAPE_TYPE;
	write_comment(probing, text);
	bounded_text_add(text,
			 "# HELP probe_success Whether a probe came back in time and intact.\n"
			 "# TYPE probe_success gauge\n"
			 "probe_success %d\n"
			 "# HELP probe_duration_seconds How long it took, with the lookup of the "
			 "name.\n"
			 "# TYPE probe_duration_seconds gauge\n"
			 "probe_duration_seconds %" PRIu64 ".%09u\n",
			 succeeded(probing), took / NS_PER_S, (unsigned)(took % NS_PER_S));
	scrape_write_watch(probing->watch, text);
}
