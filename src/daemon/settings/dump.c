/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The configuration in force as a file that reads back the same: every section, every key. Owns
 * nothing; called for -T.
 */

#include "config.h"

#include <stdio.h>
#include <string.h>

#include "echod/config/configuration.h"
#include "echod/config/settings.h"

/* As one line, or as several of the same key where one would be too long to read back. */
static void dump_value(FILE *out, const struct setting *setting, const void *value)
{
	char text[VALUE_TEXT_MAX];
	size_t used = 0;

	for (size_t item = 0; setting->type->format(setting, value, item, text); item++) {
		size_t length = strlen(text);
		const char *equals = " = ";

		if (used > 0 && used + 1 + length <= LINE_MAX_LENGTH) {
			fprintf(out, " %s", text);
			used += 1 + length;
			continue;
		}
		if (strlen(setting->key) + strlen(equals) + length > LINE_MAX_LENGTH)
			equals = "=";
		fprintf(out, "%s%s%s%s", used > 0 ? "\n" : "", setting->key, equals, text);
		used = strlen(setting->key) + strlen(equals) + length;
	}
	if (used == 0)
		fprintf(out, "#%s = (none)", setting->key);
	fputc('\n', out);
}

/* A key that a listener has no use for would be a warning when it is read back. */
static bool has_no_effect(const struct setting *setting, const struct config *config,
			  const struct listener_config *listener)
{
	return !setting_applies_to(setting, listener) &&
	       setting_equal(setting, listener, &config->defaults);
}

static void dump_listener(FILE *out, const struct config *config,
			  const struct listener_config *listener)
{
	fprintf(out, "\n[listener %s]\n", listener->name);
	for (size_t i = 0; i < setting_count; i++) {
		if (!(settings[i].sections & IN_LISTENER))
			continue;
		if (has_no_effect(&settings[i], config, listener))
			fprintf(out, "#%s = (no effect here)\n", settings[i].key);
		else
			dump_value(out, &settings[i], setting_value_const(&settings[i], listener));
	}
}

static void dump_single(FILE *out, const char *name, unsigned section, const void *values)
{
	fprintf(out, "[%s]\n", name);
	for (size_t i = 0; i < setting_count; i++) {
		if (settings[i].sections & section)
			dump_value(out, &settings[i], setting_value_const(&settings[i], values));
	}
}

int config_dump(const struct config *config, FILE *out)
{
	dump_single(out, "server", IN_SERVER, &config->server);
	fputc('\n', out);
	dump_single(out, "defaults", IN_DEFAULTS, &config->defaults);
	for (size_t i = 0; i < config->listener_count; i++)
		dump_listener(out, config, &config->listeners[i]);
	return fflush(out) != 0 || ferror(out) ? -1 : 0;
}
