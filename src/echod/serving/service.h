/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A listener as one worker serves it: its name, and the settings in force. Sockets and connections
 * belong to a service by name, so a reload changes the settings of them all by changing one
 * pointer, and connections whose listener is gone keep the last ones. Holds the configuration it
 * points into, and the sessions of the listener.
 */

#pragma once

#include <stddef.h>

#include "base/compiler.h"
#include "base/lists.h"
#include "echod/config/configuration.h"

struct loop;
struct sessions;

struct service {
	LIST_ENTRY(service) link;
	struct loop *loop;
	struct config *config;
	const struct listener_config *settings;
	struct sessions *sessions; /* a reference; NULL: its mode keeps none */
	size_t users;		   /* sockets and connections; a service without any is freed */
	char name[NAME_MAX_LENGTH + 1];
	uint64_t tag;
};

LIST_HEAD(service_list, service);

/* NULL when there is no memory. */
struct service *service_new(struct config *config, const struct listener_config *settings,
			    struct sessions *sessions) WARN_UNUSED;
void service_free(struct service *service);

struct service *service_find(const struct service_list *list, const char *name);

/* Takes settings and sessions of NEXT, and releases those held before. */
void service_follow(struct service *service, const struct service *next);

struct service *service_join(struct service *service);
void service_leave(struct service *service); /* the last to leave frees it */
