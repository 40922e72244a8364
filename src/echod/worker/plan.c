/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See plan.h. Made by control, carried out by workers. */

#include "config.h"

#include "echod/worker/plan.h"

#include <stdlib.h>

#include "echod/serving/loop.h"
#include "echod/stream/echo.h"

static struct service *add_service(struct plan *plan, struct config *config,
				   const struct listener_config *settings)
{
	struct service *service = service_new(config, settings);

	if (service)
		LIST_INSERT_HEAD(&plan->services, service, link);
	return service;
}

/*
 * The service for a socket; one that was handed over under an unknown name has that of [defaults].
 */
static struct service *service_for(struct plan *plan, struct config *config, const char *name)
{
	const struct listener_config *settings = config_listener(config, name);
	struct service *service;

	if (!settings)
		settings = &config->defaults;
	service = service_find(&plan->services, settings->name);
	return service ? service : add_service(plan, config, settings);
}

static int add_intake(struct plan *plan, struct listen_socket *socket, struct service *service)
{
	struct intake *intake = service ? intake_new(socket, service) : NULL;

	if (!intake)
		return -1;
	LIST_INSERT_HEAD(&plan->intakes, intake, link);
	return 0;
}

static int fill(struct plan *plan, struct config *config, const struct listening *listening,
		size_t worker, size_t workers)
{
	struct listen_socket *socket;

	/* Also those without a socket of this worker: live connections follow them by name. */
	for (size_t i = 0; i < config->listener_count; i++) {
		if (!add_service(plan, config, &config->listeners[i]))
			return -1;
	}
	for (size_t i = 0; i < listening->count; i++) {
		socket = listening_socket_for(&listening->bindings[i], i, worker, workers);
		if (socket &&
		    add_intake(plan, socket,
			       service_for(plan, config, listening->bindings[i].listener)) < 0)
			return -1;
	}
	return 0;
}

struct plan *plan_new(struct config *config, const struct listening *listening, size_t worker,
		      size_t workers)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan)
		return NULL;
	guard_ports_init(&plan->ports);
	listening_refuse_ports(listening, &plan->ports);
	if (fill(plan, config, listening, worker, workers) < 0) {
		plan_free(plan);
		return NULL;
	}
	return plan;
}

void plan_free(struct plan *plan)
{
	struct service *service;
	struct intake *intake;

	if (!plan)
		return;
	while ((intake = LIST_FIRST(&plan->intakes)) != NULL) {
		LIST_REMOVE(intake, link);
		intake_free(intake);
	}
	while ((service = LIST_FIRST(&plan->services)) != NULL) {
		LIST_REMOVE(service, link);
		service_free(service);
	}
	free(plan);
}

static struct intake *intake_of(const struct intake_list *list, const struct listen_socket *socket)
{
	struct intake *intake;

	LIST_FOREACH (intake, list, link) {
		if (intake->socket == socket)
			return intake;
	}
	return NULL;
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
	struct intake *intake, *next;

	for (intake = LIST_FIRST(&loop->intakes); intake; intake = next) {
		next = LIST_NEXT(intake, link);
		if (!intake_of(&plan->intakes, intake->socket))
			intake_stop(intake);
	}
}

/* A socket that stays may have changed its listener's name, and with it its service. */
static void move_to(struct intake *intake, struct service *service)
{
	struct service *before = intake->service;

	if (before == service)
		return;
	intake->service = service_join(service);
	before->users--; /* it may be needed again in a moment: sweep frees it */
}

static void start_or_move(struct plan *plan, struct loop *loop)
{
	struct service *service;
	struct intake *wanted, *serving;

	while ((wanted = LIST_FIRST(&plan->intakes)) != NULL) {
		LIST_REMOVE(wanted, link);
		service = service_find(&loop->services, wanted->service->name);
		serving = intake_of(&loop->intakes, wanted->socket);
		if (serving)
			move_to(serving, service);
		wanted->service = service;
		if (serving)
			intake_free(wanted);
		else
			intake_start(wanted, loop);
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
	merge_services(plan, loop);
	start_or_move(plan, loop);
	loop->ports = plan->ports;
	plan_free(plan);
	sweep(loop);
	connections_refile(loop);
}
