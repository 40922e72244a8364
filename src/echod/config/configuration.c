/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * One load from beginning to end, and the life of what it makes. A configuration belongs to those
 * who hold it; nothing here changes one that was handed out.
 */

#include "config.h"

#include "echod/config/configuration.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/settings/config_file.h"
#include "daemon/settings/draft.h"
#include "daemon/settings/reader.h"

static void read_file(struct draft *draft, const struct config_source *source)
{
	char *text = NULL;
	size_t length = 0;
	struct reason reason;
	enum config_file result = config_file_read(source->path, &text, &length, &reason);

	if (result == CONFIG_FILE_READ) {
		draft->config->from_file = true;
		config_read(draft, text, length);
	} else if (result == CONFIG_FILE_BAD || source->must_exist) {
		findings_error(draft->findings, WHOLE_FILE, "%s", reason.text);
	}
	free(text);
}

static void finish_listeners(struct draft *draft)
{
	for (size_t i = 0; i < draft->config->listener_count; i++) {
		draft_fold(draft, i);
		draft_check(draft, i);
	}
}

/* A listener that no file names: "echo", "echo2", ... */
static void add_own_listener(struct draft *draft, const char *address)
{
	size_t index = draft->config->listener_count;
	char name[NAME_MAX_LENGTH + 1] = "echo";
	const struct setting *setting = setting_find("address");
	struct listener_config *listener;
	const struct listener_config *owner;

	if (index > 0)
		(void)snprintf(name, sizeof(name), "echo%zu", index + 1);
	listener = draft_add_listener(draft, NOT_IN_FILE, name);
	if (!listener)
		return;
	draft_set(draft, NOT_IN_FILE, setting, listener, address);
	draft_fold(draft, index);
	owner = listener->addresses.count > 0
			? draft_find_owner(draft, &listener->addresses.items[0])
			: NULL;
	if (owner)
		findings_error(draft->findings, NOT_IN_FILE,
			       "-l %s: another -l has this address already, or a part of it",
			       address);
}

static void choose_listeners(struct draft *draft, const struct config_source *source)
{
	char text[LISTEN_ADDRESS_TEXT_MAX];

	if (source->address_count > 0)
		draft_drop_listeners(draft);
	for (size_t i = 0; i < source->address_count; i++)
		add_own_listener(draft, listen_address_format(&source->addresses[i], text));
	if (draft->config->listener_count == 0)
		add_own_listener(draft, "*:7");
}

static struct config *build(const struct config_source *source, struct findings *findings)
{
	struct draft draft;

	if (draft_begin(&draft, findings) < 0)
		return NULL;
	draft.addresses_unused = source->handed || source->address_count > 0;
	read_file(&draft, source);
	finish_listeners(&draft);
	choose_listeners(&draft, source);
	if (!source->handed)
		draft_check_metrics(&draft);
	return draft_end(&draft);
}

struct config *config_load(const struct config_source *source, config_report *report)
{
	struct findings findings = {0};
	struct config *config = build(source, &findings);

	if (!findings_report(&findings, source->path, report)) {
		config_release(config);
		config = NULL;
	}
	findings_clear(&findings);
	return config;
}

struct config *config_hold(struct config *config)
{
	(void)atomic_fetch_add_explicit(&config->references, 1, memory_order_relaxed);
	return config;
}

void config_release(struct config *config)
{
	/* Whoever frees must see all that the others did with it. */
	if (!config || atomic_fetch_sub_explicit(&config->references, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < config->listener_count; i++)
		settings_clear(IN_LISTENER, &config->listeners[i]);
	settings_clear(IN_DEFAULTS, &config->defaults);
	settings_clear(IN_SERVER, &config->server);
	free(config->listeners);
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

void config_compare(const struct config *now, const struct config *next,
		    void (*needs_restart)(const char *key))
{
	for (size_t i = 0; i < setting_count; i++) {
		if (!settings[i].restart)
			continue;
		assert(settings[i].sections == IN_SERVER); /* others come and go by listener */
		if (!setting_equal(&settings[i], &now->server, &next->server))
			needs_restart(settings[i].key);
	}
}
