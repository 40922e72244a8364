/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See stamp_keys.h. */

#include "config.h"

#include "echod/config/stamp_keys.h"

#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "daemon/settings/draft.h"
#include "echod/config/configuration.h"
#include "echod/config/settings.h"

/* What all keys of one load have in common. */
struct reading {
	struct draft *draft;
	const struct config *in_force;
	uid_t owner; /* the user that echod runs as */
};

static uid_t service_user(const struct config *config)
{
	const struct passwd *who = NULL;

	if (config->server.user[0] != '\0')
		who = getpwnam(config->server.user);
	return who ? who->pw_uid : geteuid();
}

static bool is_from(const struct stamp_key *key, const char *path)
{
	return key->hmac && strcmp(key->path, path) == 0;
}

/* The key that CONFIG has from PATH; NULL: none. */
static const struct stamp_key *find_key(const struct config *config, const char *path)
{
	if (is_from(&config->defaults.stamp_key, path))
		return &config->defaults.stamp_key;
	for (size_t i = 0; i < config->listener_count; i++) {
		if (is_from(&config->listeners[i].stamp_key, path))
			return &config->listeners[i].stamp_key;
	}
	return NULL;
}

static void read_key(const struct reading *reading, int line, struct stamp_key *key)
{
	struct findings *findings = reading->draft->findings;
	const struct stamp_key *kept = NULL;
	enum key_file result;
	struct reason reason;

	if (key->path[0] == '\0')
		return;
	result = stamp_key_read(key, reading->owner, &reason);
	if (result == KEY_FILE_READ)
		return;
	if (result == KEY_FILE_FORBIDDEN && reading->in_force)
		kept = find_key(reading->in_force, key->path);
	if (!kept)
		findings_error(findings, line, "stamp_key: %s", reason.text);
	else if (stamp_key_copy(key, kept) == 0)
		findings_warning(findings, line, "stamp_key: %s: the key in force stays",
				 reason.text);
	else
		findings_error(findings, line, "stamp_key: not enough memory");
}

void stamp_keys_read(struct draft *draft, const struct config *in_force)
{
	struct config *config = draft->program;
	const struct section *defaults = &config_schema.sections[DEFAULTS_SECTION];
	const struct section *listener = &config_schema.sections[LISTENER_SECTION];
	const struct setting *setting = schema_find(&config_schema, "stamp_key");
	const ptrdiff_t row = setting - settings;
	const struct reading reading = {draft, in_force, service_user(config)};

	read_key(&reading, draft_lines(draft, defaults, 0)->keys[row], &config->defaults.stamp_key);
	for (size_t i = 0; i < config->listener_count; i++) {
		struct listener_config *values = &config->listeners[i];
		int line = draft_lines(draft, listener, i)->keys[row];

		if (line == 0)
			setting_share(setting, values, &config->defaults);
		else
			read_key(&reading, line, &values->stamp_key);
	}
}
