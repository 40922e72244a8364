/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See service.h. Made by control for a plan, then owned by the worker that carries it out. */

#include "config.h"

#include "echod/serving/service.h"

#include <stdlib.h>
#include <string.h>

#include "echod/guard/sessions.h"

struct service *service_new(struct config *config, const struct listener_config *settings,
			    struct sessions *sessions)
{
	struct service *service = calloc(1, sizeof(*service));

	if (!service)
		return NULL;
	service->config = config_hold(config);
	service->settings = settings;
	service->sessions = sessions_hold(sessions);
	service->tag = settings->tag;
	memcpy(service->name, settings->name, sizeof(service->name));
	return service;
}

void service_free(struct service *service)
{
	if (!service)
		return;
	config_release(service->config);
	sessions_release(service->sessions);
	free(service);
}

struct service *service_find(const struct service_list *list, const char *name)
{
	struct service *service;

	LIST_FOREACH (service, list, link) {
		if (strcmp(service->name, name) == 0)
			return service;
	}
	return NULL;
}

void service_follow(struct service *service, const struct service *next)
{
	struct config *config_before = service->config;
	struct sessions *sessions_before = service->sessions;

	service->config = config_hold(next->config);
	service->settings = next->settings;
	service->sessions = sessions_hold(next->sessions);
	config_release(config_before);
	sessions_release(sessions_before);
}

struct service *service_join(struct service *service)
{
	service->users++;
	return service;
}

void service_leave(struct service *service)
{
	if (--service->users > 0)
		return;
	LIST_REMOVE(service, link);
	service_free(service);
}
