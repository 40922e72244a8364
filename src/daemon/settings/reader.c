/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sections and keys: which there are, where each may stand and how often. Owns only its place in
 * the file; config_load calls it, strict_ini.c brings it the lines.
 */

#include "config.h"

#include "daemon/settings/reader.h"

#include <stdio.h>
#include <string.h>

#include "daemon/settings/strict_ini.h"

/* Room for the names of all settings of a section. */
#define KEYS_TEXT_MAX 512

struct place {
	struct draft *draft;
	bool before_sections;
	unsigned section; /* IN_ bit; 0: one that was refused */
	void *values;
	struct section_lines *lines;
	struct listener_config *listener; /* NULL in the other sections */
};

static void enter(struct place *place, unsigned section, void *values, struct section_lines *lines)
{
	place->section = section;
	place->values = values;
	place->lines = lines;
	place->listener = NULL;
}

static void enter_single(struct place *place, int line, unsigned section)
{
	struct draft *draft = place->draft;
	struct section_lines *lines = section == IN_SERVER ? &draft->server : &draft->defaults;

	if (lines->header != 0)
		findings_error(draft->findings, line,
			       "[%s] was on line %d already: put its settings together there",
			       section == IN_SERVER ? "server" : "defaults", lines->header);
	else
		lines->header = line;
	if (section == IN_SERVER)
		enter(place, section, &draft->config->server, lines);
	else
		enter(place, section, &draft->config->defaults, lines);
}

static void enter_listener(struct place *place, int line, const char *name)
{
	struct draft *draft = place->draft;
	struct config *config = draft->config;
	struct listener_config *listener;

	if (*name == '\0')
		findings_error(draft->findings, line,
			       "a listener needs a name: write [listener NAME]");
	else if (!is_name(name))
		findings_error(draft->findings, line,
			       "\"%s\" is not a name for a listener: " NAME_ALLOWED, name);
	else if (config_listener(config, name))
		findings_error(draft->findings, line,
			       "there is a [listener %s] already: names are given once", name);
	listener = draft_add_listener(draft, line, name);
	if (!listener)
		return;
	enter(place, IN_LISTENER, listener, &draft->listeners[config->listener_count - 1]);
	place->listener = listener;
}

static void take_section(void *context, int line, const char *name)
{
	static const char listener[] = "listener";
	struct place *place = context;

	place->before_sections = false;
	enter(place, 0, NULL, NULL);
	if (!name)
		return;
	if (strcmp(name, "server") == 0) {
		enter_single(place, line, IN_SERVER);
	} else if (strcmp(name, "defaults") == 0) {
		enter_single(place, line, IN_DEFAULTS);
	} else if (strcspn(name, " \t") == strlen(listener) &&
		   strncmp(name, listener, strlen(listener)) == 0) {
		name += strlen(listener);
		enter_listener(place, line, name + strspn(name, " \t"));
	} else {
		findings_error(place->draft->findings, line,
			       "unknown section [%s]: allowed are [server], [defaults] and "
			       "[listener NAME]",
			       name);
	}
}

/* "workers, log_level, ..." of a section. */
static const char *keys_of(unsigned section, char text[static KEYS_TEXT_MAX])
{
	size_t used = 0;

	for (size_t i = 0; i < setting_count; i++) {
		if (settings[i].sections & section)
			used += (size_t)snprintf(text + used, KEYS_TEXT_MAX - used, "%s%s",
						 used > 0 ? ", " : "", settings[i].key);
	}
	return text;
}

static const char *section_name(unsigned section)
{
	if (section & IN_SERVER)
		return "[server]";
	return section & IN_DEFAULTS ? "[defaults]" : "[listener]";
}

static const struct setting *find_allowed(struct place *place, int line, const char *key)
{
	const struct setting *setting = setting_find(key);
	char keys[KEYS_TEXT_MAX];

	if (!setting)
		findings_error(place->draft->findings, line,
			       "unknown key \"%s\": allowed in %s are %s", key,
			       section_name(place->section), keys_of(place->section, keys));
	else if (!(setting->sections & place->section))
		findings_error(place->draft->findings, line,
			       "%s does not belong in %s, where allowed are %s", key,
			       section_name(place->section), keys_of(place->section, keys));
	else
		return setting;
	return NULL;
}

static void check_address(struct draft *draft, int line, const struct listen_address *address)
{
	const struct listener_config *owner = draft_find_owner(draft, address);
	char text[LISTEN_ADDRESS_TEXT_MAX];

	if (owner)
		findings_error(draft->findings, line,
			       "address: [listener %s] has %s already, or a part of it",
			       owner->name, listen_address_format(address, text));
	if (address->zone[0] != '\0' && !draft->addresses_unused)
		findings_error(draft->findings, line,
			       "address: %s: there is no network interface \"%s\"",
			       listen_address_format(address, text), address->zone);
}

/* The addresses behind the first KNOWN are new: none of them may be taken. */
static void check_new_addresses(const struct place *place, int line, size_t known)
{
	const struct address_list *list = &place->listener->addresses;

	for (; known < list->count; known++)
		check_address(place->draft, line, &list->items[known]);
}

static void set_value(struct place *place, int line, const struct setting *setting,
		      const char *value)
{
	size_t known = place->listener ? place->listener->addresses.count : 0;

	draft_set(place->draft, line, setting, place->values, value);
	if (place->listener)
		check_new_addresses(place, line, known);
}

static void take_setting(void *context, int line, const char *key, const char *value)
{
	struct place *place = context;
	const struct setting *setting;
	int *given;

	if (place->before_sections)
		findings_error(place->draft->findings, line,
			       "%s stands before any section: begin with [server], [defaults] or "
			       "[listener NAME]",
			       key);
	if (place->section == 0)
		return;
	setting = find_allowed(place, line, key);
	if (!setting)
		return;
	given = &place->lines->keys[setting - settings];
	if (*given != 0 && !setting->type->repeatable) {
		findings_error(place->draft->findings, line,
			       "%s was set on line %d already: it is allowed once in a section",
			       key, *given);
		return;
	}
	*given = line;
	set_value(place, line, setting, value);
}

static void take_refusal(void *context, int line, const char *why)
{
	struct place *place = context;

	findings_error(place->draft->findings, line, "%s", why);
}

void config_read(struct draft *draft, const char *text, size_t length)
{
	static const struct ini_events events = {take_section, take_setting, take_refusal};
	struct place place = {.draft = draft, .before_sections = true};

	strict_ini_read(text, length, &events, &place);
}
