/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The life of a configuration. It belongs to its holders; nothing here changes one that was handed
 * out.
 */

#include "config.h"

#include "echod/config/configuration.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/settings/settings.h"
#include "echod/config/settings.h"

struct config *config_hold(struct config *config)
{
	(void)atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
	return config;
}

void config_release(struct config *config)
{
	/* The thread that frees it must see all accesses by the others. */
	if (!config || atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel) != 1)
		return;
	settings_clear(&config_schema, config);
	free(config);
}

const struct listener_config *config_listener(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->listener_count; i++) {
		if (strcmp(config->listeners[i].name, name) == 0)
			return &config->listeners[i];
	}
	return NULL;
}

int config_dump(const struct config *config, FILE *out)
{
	return settings_dump(&config_schema, config, out);
}

void config_compare(const struct config *now, const struct config *next,
		    void (*needs_restart)(const char *key))
{
	settings_compare(&config_schema, now, next, needs_restart);
}
