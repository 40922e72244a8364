/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a load of echod's needs beyond the table: listeners that no file names, addresses that
 * collide, the address of the metrics. Owns nothing; called by main and at each reload.
 */

#include "config.h"

#include "echod/config/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/settings/settings.h"
#include "daemon/settings/values.h"
#include "echod/config/settings.h"
#include "echod/config/stamp_keys.h"

/* Whose address, added before this one, collides with it; NULL when it is free. */
static const struct listener_config *find_owner(const struct config *config,
						const struct listen_address *address)
{
	for (size_t i = 0; i < config->listener_count; i++) {
		const struct address_list *list = &config->listeners[i].addresses;

		for (size_t j = 0; j < list->count && &list->items[j] != address; j++) {
			if (listen_address_collides(&list->items[j], address))
				return &config->listeners[i];
		}
	}
	return NULL;
}

static void check_address(struct draft *draft, int line, const struct listen_address *address)
{
	const struct config_source *source = draft->context;
	const struct listener_config *owner = find_owner(draft->program, address);
	bool is_opened = !source->handed && source->address_count == 0;
	char text[LISTEN_ADDRESS_TEXT_MAX];

	(void)listen_address_format(address, text);
	if (owner && line == NOT_IN_FILE)
		findings_error(draft->findings, line,
			       "-l %s: another -l already has this address, or part of it", text);
	else if (owner)
		findings_error(draft->findings, line,
			       "address: [listener %s] has %s already, or part of it", owner->name,
			       text);
	if (address->zone[0] != '\0' && is_opened)
		findings_error(draft->findings, line,
			       "address: %s: there is no network interface \"%s\"", text,
			       address->zone);
}

/* A network that everybody is in. */
static void check_proxies(struct draft *draft, int line, const struct network *network)
{
	char text[NETWORK_TEXT_MAX];

	(void)network_format(network, text);
	if (strcmp(text, "0.0.0.0/0") == 0 || strcmp(text, "::/0") == 0)
		findings_warning(draft->findings, line,
				 "proxy_from: with %s any client can claim any address: list the "
				 "load balancers only",
				 text);
}

static void take_word(struct draft *draft, int line, const struct setting *setting,
		      const void *values)
{
	const struct address_list *addresses = setting_value_const(setting, values);
	const struct netlist *networks = setting_value_const(setting, values);

	if (setting->type == &addresses_value)
		check_address(draft, line, &addresses->items[addresses->count - 1]);
	else if (setting == schema_find(&config_schema, "proxy_from"))
		check_proxies(draft, line, &networks->networks[networks->count - 1]);
}

/* A listener that no file names: "echo", "echo2", ... */
static void add_own_listener(struct draft *draft, const char *address)
{
	const struct section *section = &config_schema.sections[LISTENER_SECTION];
	size_t index = section_count(section, draft->program);
	char name[NAME_MAX_LENGTH + 1] = "echo";
	struct listener_config *listener;

	if (index > 0)
		(void)snprintf(name, sizeof(name), "echo%zu", index + 1);
	listener = draft_add(draft, section, NOT_IN_FILE, name);
	if (!listener)
		return;
	draft_fold(draft, section, index);
	draft_set(draft, NOT_IN_FILE, schema_find(&config_schema, "address"), listener, address);
}

static void choose_listeners(struct draft *draft, const struct config_source *source)
{
	const struct section *section = &config_schema.sections[LISTENER_SECTION];
	char text[LISTEN_ADDRESS_TEXT_MAX];

	if (source->address_count > 0)
		section_clear(&config_schema, section, draft->program);
	for (size_t i = 0; i < source->address_count; i++)
		add_own_listener(draft, listen_address_format(&source->addresses[i], text));
	if (section_count(section, draft->program) == 0)
		add_own_listener(draft, "*:7");
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

/* The listeners that will be opened leave the address of the metrics free. */
static void check_metrics(struct draft *draft)
{
	const struct config *config = draft->program;
	const struct address *metrics = &config->server.metrics;
	const struct section *server = &config_schema.sections[SERVER_SECTION];
	const struct setting *setting = schema_find(&config_schema, "metrics");
	int line = draft_lines(draft, server, 0)->keys[setting - settings];
	char text[LISTEN_ADDRESS_TEXT_MAX];

	if (address_port(metrics) == 0) /* also when there is none */
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

/* Where a value of listener number INDEX was given: there, in [defaults], or not in the file. */
static int line_of(struct draft *draft, size_t index, const char *key)
{
	const struct section *section = &config_schema.sections[LISTENER_SECTION];
	size_t at = (size_t)(schema_find(&config_schema, key) - settings);
	int line = draft_lines(draft, section, index)->keys[at];

	return line != 0 ? line : draft_lines(draft, section->defaults, 0)->keys[at];
}

/* Modes other than echo are UDP alone, which their listeners need not write. */
static void check_mode(struct draft *draft, size_t index)
{
	struct config *config = draft->program;
	struct listener_config *listener = &config->listeners[index];
	const char *mode = mode_names[listener->mode];
	int line = line_of(draft, index, "protocol");

	if (listener->mode == MODE_ECHO)
		return;
	if (line != 0 && (listener->protocols & PROTOCOL_TCP))
		findings_error(draft->findings, line,
			       "protocol: [listener %s] has mode = %s, which is UDP only: write "
			       "udp, or leave it out",
			       listener->name, mode);
	listener->protocols = PROTOCOL_UDP;
	for (size_t i = 0; i < listener->addresses.count; i++) {
		char text[LISTEN_ADDRESS_TEXT_MAX];

		if (listener->addresses.items[i].kind != ADDRESS_INET)
			findings_error(draft->findings, line_of(draft, index, "mode"),
				       "mode: %s is UDP only, and [listener %s] has %s: give that "
				       "address a listener of its own",
				       mode, listener->name,
				       listen_address_format(&listener->addresses.items[i], text));
	}
}

/* Replies with counts differ each time, so the detector of repeats does not see a loop of them. */
static void check_sessions(struct draft *draft, size_t index)
{
	const struct config *config = draft->program;
	const struct listener_config *listener = &config->listeners[index];

	if (listener->mode == MODE_ECHO || listener->udp_rate > 0 || listener->allow.count > 0)
		return;
	if (listener->stamp_sessions > 0)
		findings_error(draft->findings, line_of(draft, index, "stamp_sessions"),
			       "stamp_sessions: [listener %s] has udp_rate = 0, so that a loop "
			       "with another server might never end: set a rate, or allow",
			       listener->name);
	else if (listener->mode == MODE_ECHOPLUS)
		findings_warning(
			draft->findings, line_of(draft, index, "udp_rate"),
			"udp_rate: a loop of [listener %s], which counts its replies, with "
			"another server might never end: set a rate, or allow",
			listener->name);
}

static void finish(struct draft *draft)
{
	const struct config_source *source = draft->context;
	const struct config *config = draft->program;

	choose_listeners(draft, source);
	for (size_t i = 0; i < config->listener_count; i++) {
		check_mode(draft, i);
		check_sessions(draft, i);
	}
	stamp_keys_read(draft, source->in_force);
	if (!source->handed)
		check_metrics(draft);
}

/* FNV-1a: the same name has the same tag in every load. */
static uint64_t tag_of(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
	return hash;
}

static void name_all(struct config *config)
{
	struct listener_config *defaults = &config->defaults;

	/* No listener can have this name: it is not one by the rules. */
	(void)snprintf(defaults->name, sizeof(defaults->name), "[defaults]");
	defaults->tag = tag_of(defaults->name);
	for (size_t i = 0; i < config->listener_count; i++)
		config->listeners[i].tag = tag_of(config->listeners[i].name);
}

struct config *config_load(const struct config_source *source, report_finding *report)
{
	struct config *config = calloc(1, sizeof(*config));
	const struct settings_source file = {.path = source->path,
					     .must_exist = source->must_exist,
					     .take_word = take_word,
					     .finish = finish,
					     .context = source};
	enum config_file result;

	if (!config) {
		report(LEVEL_ERROR, "not enough memory to read the configuration");
		return NULL;
	}
	atomic_init(&config->references, 1);
	result = settings_load(&config_schema, config, &file, report);
	if (result == CONFIG_FILE_BAD) {
		config_release(config);
		return NULL;
	}
	config->from_file = result == CONFIG_FILE_READ;
	name_all(config);
	return config;
}
