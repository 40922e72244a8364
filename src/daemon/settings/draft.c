/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A configuration in the making. Everything that fills one in goes through here, the file's text
 * and the defaults alike. Owned by config_load; reader.c writes to it.
 */

#include "config.h"

#include "daemon/settings/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* FNV-1a: the same name has the same tag in every load. */
static uint64_t tag_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return hash;
}

static void set_defaults(struct draft *draft, unsigned sections, void *section)
{
	for (size_t i = 0; i < setting_count; i++) {
		if (settings[i].sections & sections)
			draft_set(draft, WHOLE_FILE, &settings[i], section,
				  settings[i].default_text);
	}
}

int draft_begin(struct draft *draft, struct findings *findings)
{
	struct config *config = calloc(1, sizeof(*config));

	*draft = (struct draft){.config = config, .findings = findings};
	if (!config) {
		findings_error(findings, NOT_IN_FILE, "not enough memory");
		return -1;
	}
	atomic_init(&config->references, 1);
	/* No listener can have this name: it is not one by the rules. */
	(void)snprintf(config->defaults.name, sizeof(config->defaults.name), "[defaults]");
	config->defaults.tag = tag_of(config->defaults.name);
	set_defaults(draft, IN_SERVER, &config->server);
	/* A socket without a listener of its own gets these, its protocol included. */
	set_defaults(draft, IN_DEFAULTS | IN_LISTENER, &config->defaults);
	return 0;
}

struct config *draft_end(struct draft *draft)
{
	free(draft->listeners);
	draft->listeners = NULL;
	return draft->config;
}

static void set_word(struct draft *draft, int line, const struct setting *setting, void *section,
		     const char *word)
{
	struct reason reason;

	if (setting->type->parse(setting, setting_value(setting, section), word, &reason) < 0)
		findings_error(draft->findings, line, "%s: %s", setting->key, reason.text);
}

void draft_set(struct draft *draft, int line, const struct setting *setting, void *section,
	       const char *text)
{
	char words[LINE_MAX_LENGTH + 1], *rest;

	if (*text == '\0') /* only a default is empty: none */
		return;
	if (!setting->type->list) {
		set_word(draft, line, setting, section, text);
		return;
	}
	(void)snprintf(words, sizeof(words), "%s", text);
	for (char *word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
		set_word(draft, line, setting, section, word);
}

struct listener_config *draft_add_listener(struct draft *draft, int line, const char *name)
{
	struct config *config = draft->config;
	size_t count = config->listener_count;
	struct listener_config *listeners;
	struct section_lines *lines;

	listeners = reallocarray(config->listeners, count + 1, sizeof(*listeners));
	if (listeners)
		config->listeners = listeners;
	lines = reallocarray(draft->listeners, count + 1, sizeof(*lines));
	if (lines)
		draft->listeners = lines;
	if (!listeners || !lines) {
		findings_error(draft->findings, line, "not enough memory");
		return NULL;
	}
	memset(&listeners[count], 0, sizeof(*listeners));
	memset(&lines[count], 0, sizeof(*lines));
	(void)snprintf(listeners[count].name, sizeof(listeners[count].name), "%s", name);
	listeners[count].tag = tag_of(listeners[count].name);
	lines[count].header = line;
	config->listener_count++;
	return &listeners[count];
}

const struct listener_config *draft_find_owner(const struct draft *draft,
					       const struct listen_address *address)
{
	const struct config *config = draft->config;

	for (size_t i = 0; i < config->listener_count; i++) {
		const struct address_list *list = &config->listeners[i].addresses;

		for (size_t j = 0; j < list->count && &list->items[j] != address; j++) {
			if (listen_address_collides(&list->items[j], address))
				return &config->listeners[i];
		}
	}
	return NULL;
}

void draft_drop_listeners(struct draft *draft)
{
	struct config *config = draft->config;

	while (config->listener_count > 0)
		settings_clear(IN_LISTENER, &config->listeners[--config->listener_count]);
}

void draft_fold(struct draft *draft, size_t index)
{
	struct listener_config *listener = &draft->config->listeners[index];
	const struct section_lines *lines = &draft->listeners[index];

	for (size_t i = 0; i < setting_count; i++) {
		if (!(settings[i].sections & IN_LISTENER) || lines->keys[i] != 0)
			continue;
		if (!(settings[i].sections & IN_DEFAULTS))
			draft_set(draft, WHOLE_FILE, &settings[i], listener,
				  settings[i].default_text);
		else
			setting_share(&settings[i], listener, &draft->config->defaults);
	}
}

static const char *what_is_missing(enum applies_to applies_to)
{
	if (applies_to == APPLIES_TO_IP)
		return "has no IP address";
	return applies_to == APPLIES_TO_UDP ? "serves no UDP" : "serves no TCP";
}

void draft_check(struct draft *draft, size_t index)
{
	const struct listener_config *listener = &draft->config->listeners[index];
	const struct section_lines *lines = &draft->listeners[index];

	for (size_t i = 0; i < setting_count; i++) {
		const struct setting *setting = &settings[i];

		if (setting->required && lines->keys[i] == 0)
			findings_error(draft->findings, lines->header,
				       "[listener %s] has no %s: add one", listener->name,
				       setting->key);
		if (lines->keys[i] != 0 && listener->addresses.count > 0 &&
		    !setting_applies_to(setting, listener))
			findings_warning(draft->findings, lines->keys[i],
					 "%s has no effect: [listener %s] %s", setting->key,
					 listener->name, what_is_missing(setting->applies_to));
	}
}

/* The address of LISTENER that METRICS cannot be served beside; NULL: there is none. */
static const struct listen_address *find_overlap(const struct listener_config *listener,
						 const struct address *metrics)
{
	for (size_t i = 0; i < listener->addresses.count; i++) {
		const struct listen_address *address = &listener->addresses.items[i];

		for (size_t part = 0; part < address->count; part++) {
			if ((listener->protocols & PROTOCOL_TCP) &&
			    address_overlaps(&address->parts[part], metrics))
				return address;
		}
	}
	return NULL;
}

void draft_check_metrics(struct draft *draft)
{
	const struct config *config = draft->config;
	const struct address *metrics = &config->server.metrics;
	int line = draft->server.keys[setting_find("metrics") - settings];
	char text[LISTEN_ADDRESS_TEXT_MAX];

	if (metrics->length == 0 || address_port(metrics) == 0)
		return;
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct listen_address *taken = find_overlap(&config->listeners[i], metrics);

		if (taken)
			findings_error(draft->findings, line,
				       "metrics: [listener %s] serves TCP at %s: choose another "
				       "port",
				       config->listeners[i].name,
				       listen_address_format(taken, text));
	}
}
