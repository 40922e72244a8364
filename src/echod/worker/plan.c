/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See plan.h. Made by control, carried out by workers. */

#include "config.h"

#include "echod/worker/plan.h"

#include <stdlib.h>

#include "echod/guard/session_tables.h"
#include "echod/serving/endpoint.h"
#include "echod/serving/protocol.h"
#include "echod/stream/connections.h"
#include "echod/worker/protocols.h"

/* What a plan is made of. */
struct parts {
	struct config *config;
	const struct socket_table *table;
	const struct session_tables *sessions;
};

static struct service *add_service(struct plan *plan, const struct parts *parts,
				   const struct listener_config *settings)
{
	struct sessions *sessions = session_tables_find(parts->sessions, settings->name);
	struct service *service = service_new(parts->config, settings, sessions);

	if (service)
		LIST_INSERT_HEAD(&plan->services, service, link);
	return service;
}

/*
 * The service for a socket; one that was handed over under an unknown name has that of [defaults].
 */
static struct service *service_for(struct plan *plan, const struct parts *parts, const char *name)
{
	const struct listener_config *settings = config_listener(parts->config, name);
	struct service *service;

	if (!settings)
		settings = &parts->config->defaults;
	service = service_find(&plan->services, settings->name);
	return service ? service : add_service(plan, parts, settings);
}

static int add_endpoint(struct plan *plan, struct listen_socket *socket, struct service *service,
			size_t share_step)
{
	struct endpoint *endpoint;

	if (!service)
		return -1;
	endpoint = endpoint_new(socket, protocol_for(socket->kind), service);
	if (!endpoint)
		return -1;
	endpoint->share_step = (unsigned)share_step;
	LIST_INSERT_HEAD(&plan->endpoints, endpoint, link);
	return 0;
}

static int add_endpoints(struct plan *plan, const struct parts *parts, size_t index, size_t worker,
			 size_t workers)
{
	const struct binding *binding = &parts->table->bindings[index];
	bool shared = socket_is_stream(binding->kind) && binding->socket_count < workers;
	size_t share_step = shared ? binding->socket_count : 0;

	for (size_t i = 0; i < binding->socket_count; i++) {
		if (socket_table_assigns(parts->table, index, i, worker, workers) &&
		    add_endpoint(plan, binding->sockets[i],
				 service_for(plan, parts, binding->listener), share_step) < 0)
			return -1;
	}
	return 0;
}

static int fill(struct plan *plan, const struct parts *parts, size_t worker, size_t workers)
{
	const struct config *config = parts->config;

	/* Also those without a socket of this worker: live connections follow them by name. */
	for (size_t i = 0; i < config->listener_count; i++) {
		if (!add_service(plan, parts, &config->listeners[i]))
			return -1;
	}
	for (size_t i = 0; i < parts->table->count; i++) {
		if (add_endpoints(plan, parts, i, worker, workers) < 0)
			return -1;
	}
	return 0;
}

struct plan *plan_new(struct config *config, const struct socket_table *table,
		      const struct session_tables *sessions, size_t worker, size_t workers)
{
	struct parts parts = {.config = config, .table = table, .sessions = sessions};
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	guard_ports_init(&plan->ports);
	socket_table_refuse_ports(table, &plan->ports);
	plan->busy_poll = config->server.busy_poll;
	if (fill(plan, &parts, worker, workers) < 0) {
		plan_free(plan);
		return NULL;
	}
	return plan;
}

void plan_free(struct plan *plan)
{
	struct service *service;
	struct endpoint *endpoint;

	if (!plan)
		return;
	while ((endpoint = LIST_FIRST(&plan->endpoints)) != NULL) {
		LIST_REMOVE(endpoint, link);
		endpoint_free(endpoint);
	}
	while ((service = LIST_FIRST(&plan->services)) != NULL) {
		LIST_REMOVE(service, link);
		service_free(service);
	}
	free(plan);
}

static struct endpoint *endpoint_of(const struct endpoint_list *list,
				    const struct listen_socket *socket)
{
	struct endpoint *endpoint;

	LIST_FOREACH (endpoint, list, link) {
		if (endpoint->socket == socket)
			return endpoint;
	}
	return NULL;
}

/*
 * What came to a socket for another mode is answered in that one: it may have come as a train, and
 * not every mode takes those.
 */
static void rest_changed(const struct plan *plan, struct loop *loop)
{
	struct endpoint *planned, *serving;

	LIST_FOREACH (planned, &plan->endpoints, link) {
		serving = endpoint_of(&loop->endpoints, planned->socket);
		if (serving && serving->service->settings->mode != planned->service->settings->mode)
			serving->protocol->rest(serving);
	}
}

/* The services take the settings of the plan; new ones move over to the loop. */
static void merge_services(struct plan *plan, struct loop *loop)
{
	struct service *planned, *next, *known;

	for (planned = LIST_FIRST(&plan->services); planned; planned = next) {
		next = LIST_NEXT(planned, link);
		known = service_find(&loop->services, planned->name);
		if (known) {
			service_follow(known, planned);
			continue;
		}
		LIST_REMOVE(planned, link);
		LIST_INSERT_HEAD(&loop->services, planned, link);
		planned->loop = loop;
	}
}

static void stop_gone(const struct plan *plan, struct loop *loop)
{
	struct endpoint *endpoint, *next;

	for (endpoint = LIST_FIRST(&loop->endpoints); endpoint; endpoint = next) {
		next = LIST_NEXT(endpoint, link);
		if (!endpoint_of(&plan->endpoints, endpoint->socket))
			endpoint_stop(endpoint);
	}
}

/* A socket that stays may have changed its listener's name, and with it its service. */
static void move_to(struct endpoint *endpoint, struct service *service)
{
	struct service *before = endpoint->service;

	if (before == service)
		return;
	endpoint->service = service_join(service);
	before->users--; /* it may be needed again in a moment: sweep frees it */
}

static void start_or_move(struct plan *plan, struct loop *loop)
{
	struct service *service;
	struct endpoint *wanted, *serving;

	while ((wanted = LIST_FIRST(&plan->endpoints)) != NULL) {
		LIST_REMOVE(wanted, link);
		service = service_find(&loop->services, wanted->service->name);
		serving = endpoint_of(&loop->endpoints, wanted->socket);
		if (serving)
			move_to(serving, service);
		wanted->service = service;
		if (serving) {
			endpoint_adapt(serving);
			endpoint_free(wanted);
		} else {
			endpoint_start(wanted, loop);
		}
	}
}

/* Services that neither a socket nor a connection uses. */
static void sweep(struct loop *loop)
{
	struct service *service, *next;

	for (service = LIST_FIRST(&loop->services); service; service = next) {
		next = LIST_NEXT(service, link);
		if (service->users == 0) {
			LIST_REMOVE(service, link);
			service_free(service);
		}
	}
}

void plan_carry_out(struct plan *plan, struct loop *loop)
{
	stop_gone(plan, loop);
	rest_changed(plan, loop);
	merge_services(plan, loop);
	start_or_move(plan, loop);
	loop->ports = plan->ports;
	loop_set_busy_poll(loop, plan->busy_poll);
	plan_free(plan);
	sweep(loop);
	connections_reschedule(loop);
}
