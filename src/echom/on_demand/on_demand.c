/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See on_demand.h: who may ask, and how many at a time. The rest is in probing.c. */

#include "config.h"

#include "echom/on_demand/on_demand.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/address.h"
#include "daemon/http/http.h"
#include "echom/config/watchlist.h"
#include "echom/on_demand/demand.h"
#include "echom/on_demand/probing.h"
#include "echom/watching/names.h"
#include "echom/watching/watched.h"

#define THREADS 4 /* that look up names */
#define SPARE_S 5 /* a reply that is ready in time is not cut off */

struct on_demand {
	struct watching *shared; /* not owned */
	struct watchlist *list;	 /* held, for the networks */
	struct names *names;
	unsigned running;
};

/* A request that was accepted. */
struct asked {
	struct on_demand *owner;
	struct watchlist *list; /* held: as it was then */
	struct http *http;
	struct demand demand;
	struct probing *probing; /* NULL: not begun */
};

struct on_demand *on_demand_new(struct watching *shared, struct watchlist *list)
{
	struct on_demand *on_demand = calloc(1, sizeof(*on_demand));

	if (!on_demand)
		return NULL;
	on_demand->shared = shared;
	on_demand->list = watchlist_hold(list);
	on_demand->names = names_new(shared->base, THREADS);
	if (on_demand->names)
		return on_demand;
	on_demand_free(on_demand);
	return NULL;
}

void on_demand_free(struct on_demand *on_demand)
{
	if (!on_demand)
		return;
	names_free(on_demand->names);
	watchlist_release(on_demand->list);
	free(on_demand);
}

void on_demand_set(struct on_demand *on_demand, struct watchlist *list)
{
	watchlist_release(on_demand->list);
	on_demand->list = watchlist_hold(list);
}

static bool is_caller(const struct on_demand *on_demand, const struct address *peer)
{
	struct in6_addr ip;

	return address_ip(&peer->sa, &ip) &&
	       netlist_contains(&on_demand->list->server.probe_from, &ip);
}

static void refuse(struct http_reply *reply, const char *status, const char *why)
{
	reply->status = status;
	bounded_text_add(&reply->body, "%s\n", why);
}

/* False, and the refusal is written. */
static bool may_ask(const struct on_demand *on_demand, const struct http_request *request,
		    struct http_reply *reply)
{
	const struct echom_settings *server = &on_demand->list->server;

	if (server->probe_from.count == 0 || server->probe_targets.count == 0)
		refuse(reply, HTTP_NOT_FOUND,
		       "/probe is off: it needs probe_from and probe_targets in [server].");
	else if (!is_caller(on_demand, request->peer))
		refuse(reply, HTTP_FORBIDDEN, "Your address is not in probe_from.");
	else
		return true;
	return false;
}

static void on_over(void *context)
{
	const struct asked *asked = context;

	http_resume(asked->http, asked);
}

static struct probing *begin(struct asked *asked)
{
	const struct probing_setup setup = {.shared = asked->owner->shared,
					    .names = asked->owner->names,
					    .list = asked->list,
					    .over = on_over,
					    .context = asked};

	return probing_new(&setup, &asked->demand);
}

/* Begins only now: there is no probing for HEAD. */
static enum http_stream_state on_more(void *context, struct http_reply *reply)
{
	struct asked *asked = context;

	if (!asked->probing)
		asked->probing = begin(asked);
	if (!asked->probing) {
		refuse(reply, HTTP_UNAVAILABLE, "Out of memory: ask again later.");
		return HTTP_STREAM_END;
	}
	if (!probing_is_over(asked->probing))
		return HTTP_STREAM_WAIT;
	probing_report(asked->probing, reply);
	return HTTP_STREAM_END;
}

static void on_done(void *context)
{
	struct asked *asked = context;

	asked->owner->running--;
	probing_free(asked->probing);
	watchlist_release(asked->list);
	free(asked);
}

static void take_in(struct on_demand *on_demand, const struct demand *demand, struct http *http,
		    struct http_reply *reply)
{
	struct asked *asked = malloc(sizeof(*asked));

	if (!asked) {
		refuse(reply, HTTP_UNAVAILABLE, "Out of memory: ask again later.");
		return;
	}
	*asked = (struct asked){.owner = on_demand,
				.list = watchlist_hold(on_demand->list),
				.http = http,
				.demand = *demand};
	on_demand->running++;
	reply->stream = (struct http_stream){.more = on_more,
					     .done = on_done,
					     .context = asked,
					     .wait_s = DEMAND_MAX_MS / 1000 + SPARE_S};
}

void on_demand_page(void *arg, const struct http_request *request, struct http_reply *reply)
{
	struct on_demand *on_demand = arg;
	struct demand demand;
	struct reason reason;

	if (!may_ask(on_demand, request, reply))
		return;
	if (demand_read(&demand, request, &reason) < 0)
		refuse(reply, HTTP_BAD_REQUEST, reason.text);
	else if (on_demand->running == ON_DEMAND_MAX)
		refuse(reply, HTTP_UNAVAILABLE, "Others are being probed for: ask again later.");
	else
		take_in(on_demand, &demand, request->http, reply);
}
