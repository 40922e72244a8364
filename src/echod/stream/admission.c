/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See admission.h. */

#include "config.h"

#include "echod/stream/admission.h"

#include "base/address.h"
#include "echod/guard/guard.h"
#include "echod/guard/source_key.h"
#include "echod/serving/loop.h"

enum admission admit_socket(const struct service *service, const struct sockaddr *peer)
{
	struct in6_addr ip;

	if (address_ip(peer, &ip) && !guard_admits(service->settings, &ip))
		return REFUSED_DENIED;
	return client_table_enter(service->loop->shared->clients);
}

enum admission admit_source(const struct service *service, const struct sockaddr *source,
			    bool *counted)
{
	enum admission admission;
	struct in6_addr ip;

	*counted = false;
	if (!address_ip(source, &ip))
		return ADMITTED;
	admission = client_table_enter_source(service->loop->shared->clients,
					      source_tag(service->tag, source), &ip,
					      service->settings->max_clients_per_ip);
	*counted = admission == ADMITTED;
	return admission;
}

void admission_end(const struct service *service, const struct sockaddr *source, bool counted)
{
	struct client_table *clients = service->loop->shared->clients;
	struct in6_addr ip;

	if (counted && address_ip(source, &ip))
		client_table_leave_source(clients, source_tag(service->tag, source), &ip);
	client_table_leave(clients);
}
