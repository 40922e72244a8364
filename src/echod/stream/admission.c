/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See admission.h. */

#include "config.h"

#include "echod/stream/admission.h"

#include "base/netlist.h"
#include "echod/guard/guard.h"
#include "echod/guard/source_key.h"
#include "echod/serving/loop.h"
#include "echod/stream/peer.h"

static uint64_t tag_of(const struct service *service, const struct peer *source)
{
	return scoped_tag(service->tag, source->scope);
}

static enum admission enter_source(const struct service *service, const struct peer *source,
				   bool *counted)
{
	enum admission admission =
		client_table_enter_source(service->loop->shared->clients, tag_of(service, source),
					  &source->ip, service->settings->max_clients_per_ip);

	*counted = admission == ADMITTED;
	return admission;
}

static void leave_source(const struct service *service, const struct peer *source)
{
	client_table_leave_source(service->loop->shared->clients, tag_of(service, source),
				  &source->ip);
}

enum admission admit_source(const struct service *service, const struct peer *source, bool *counted)
{
	*counted = false;
	if (!guard_admits(service->settings, &source->ip))
		return REFUSED_DENIED;
	return enter_source(service, source, counted);
}

/* The total comes last: in it nobody counts who is refused for another reason, not even briefly. */
enum admission admit_client(const struct service *service, const struct peer *peer, bool *counted)
{
	struct client_table *clients = service->loop->shared->clients;
	enum admission admission = ADMITTED;

	*counted = false;
	if (!peer->is_unix && !guard_admits(service->settings, &peer->ip))
		return REFUSED_DENIED;
	if (client_table_count(clients) >= client_table_limit(clients))
		return REFUSED_MAX_CLIENTS;
	if (!peer->is_unix)
		admission = enter_source(service, peer, counted);
	if (admission != ADMITTED)
		return admission;
	admission = client_table_enter(clients);
	if (admission != ADMITTED && *counted)
		leave_source(service, peer);
	return admission;
}

enum admission admit_proxy(const struct service *service, const struct peer *proxy)
{
	if (!netlist_contains(&service->settings->proxy_from, &proxy->ip))
		return REFUSED_NO_PROXY;
	return client_table_enter(service->loop->shared->clients);
}

void admission_end(const struct service *service, const struct peer *source, bool counted)
{
	if (counted)
		leave_source(service, source);
	client_table_leave(service->loop->shared->clients);
}

enum counter admission_counter(enum admission refusal)
{
	switch (refusal) {
	case REFUSED_DENIED:
		return TCP_REJECTED_DENIED;
	case REFUSED_MAX_CLIENTS:
		return TCP_REJECTED_MAX_CLIENTS;
	case REFUSED_PER_IP:
		return TCP_REJECTED_PER_IP;
	case REFUSED_NO_PROXY:
		return TCP_REJECTED_PROXY;
	default:
		return TCP_ACCEPT_ERRORS;
	}
}
