/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The settings in force as a file that reads back the same. See settings.h. */

#include "config.h"

#include <string.h>

#include "daemon/settings/settings.h"
#include "daemon/settings/strict_ini.h"

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

/* A key that does nothing in a section would be a warning when it is read back. */
static bool is_left_out(const struct schema *schema, const struct section *section,
			const struct setting *setting, const void *values, const void *defaults)
{
	return section->size > 0 && schema_no_effect(schema, setting, values) &&
	       setting_equal(setting, values, defaults);
}

static void dump_values(FILE *out, const struct schema *schema, const struct section *section,
			const void *values, const void *defaults)
{
	for (size_t i = 0; i < schema->setting_count; i++) {
		const struct setting *setting = &schema->settings[i];

		if (!(setting->sections & section->bit))
			continue;
		if (is_left_out(schema, section, setting, values, defaults))
			fprintf(out, "#%s = (no effect here)\n", setting->key);
		else
			dump_value(out, setting, setting_value_const(setting, values));
	}
}

static void dump_section(FILE *out, const struct schema *schema, const struct section *section,
			 const void *program, size_t *dumped)
{
	const void *defaults = NULL;

	if (section->defaults)
		defaults = section_values_const(section->defaults, program, 0);
	for (size_t i = 0; i < section_count(section, program); i++) {
		const void *values = section_values_const(section, program, i);

		fputs((*dumped)++ > 0 ? "\n" : "", out);
		if (section->size > 0)
			fprintf(out, "[%s %s]\n", section->name, (const char *)values);
		else
			fprintf(out, "[%s]\n", section->name);
		dump_values(out, schema, section, values, defaults);
	}
}

int settings_dump(const struct schema *schema, const void *program, FILE *out)
{
	size_t dumped = 0; /* an empty line goes between sections */

	for (size_t i = 0; i < schema->section_count; i++)
		dump_section(out, schema, &schema->sections[i], program, &dumped);
	return fflush(out) != 0 || ferror(out) ? -1 : 0;
}
