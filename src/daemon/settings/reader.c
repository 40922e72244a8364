/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sections and keys: which there are, where each is allowed and how often. Owns only its place in
 * the file; settings_load calls it, strict_ini.c brings it the lines.
 */

#include "config.h"

#include "daemon/settings/draft.h"

#include <string.h>

#include "base/bounded_text.h"
#include "daemon/settings/strict_ini.h"
#include "daemon/settings/values.h"

/* Room for the names of all sections, or of all keys of one. */
#define NAMES_TEXT_MAX 512

struct place {
	struct draft *draft;
	bool before_sections;
	const struct section *section; /* NULL: one that was refused */
	size_t index;		       /* among those of its kind */
};

static void enter_single(struct place *place, int line)
{
	struct section_lines *lines = draft_lines(place->draft, place->section, 0);

	if (lines->header != 0)
		findings_error(place->draft->findings, line,
			       "[%s] is already on line %d: put all of its settings there",
			       place->section->name, lines->header);
	else
		lines->header = line;
}

static bool is_taken(const struct draft *draft, const struct section *section, const char *name)
{
	for (size_t i = 0; i < section_count(section, draft->program); i++) {
		if (strcmp(section_values_const(section, draft->program, i), name) == 0)
			return true;
	}
	return false;
}

static void enter_named(struct place *place, int line, const char *name)
{
	struct draft *draft = place->draft;
	const char *kind = place->section->name;

	if (*name == '\0')
		findings_error(draft->findings, line, "a %s needs a name: write [%s NAME]", kind,
			       kind);
	else if (!is_name(name))
		findings_error(draft->findings, line,
			       "\"%s\" is not a name for a %s: " NAME_ALLOWED, name, kind);
	else if (is_taken(draft, place->section, name))
		findings_error(draft->findings, line,
			       "[%s %s] already exists: names must be unique", kind, name);
	place->index = section_count(place->section, draft->program);
	if (!draft_add(draft, place->section, line, name))
		place->section = NULL;
}

/* "[server], [defaults] or [listener NAME]" */
static const char *all_sections(const struct schema *schema, char text[static NAMES_TEXT_MAX])
{
	struct bounded_text names;

	bounded_text_begin(&names, text, NAMES_TEXT_MAX);
	for (size_t i = 0; i < schema->section_count; i++) {
		const char *next = i + 1 < schema->section_count ? ", " : " or ";

		bounded_text_add(&names, "%s[%s%s]", i > 0 ? next : "", schema->sections[i].name,
				 schema->sections[i].size > 0 ? " NAME" : "");
	}
	return text;
}

/* The kind of section whose name, or first word, TEXT is; *NAME is what comes after that. */
static const struct section *find_section(const struct schema *schema, const char *text,
					  const char **name)
{
	for (size_t i = 0; i < schema->section_count; i++) {
		const struct section *section = &schema->sections[i];
		size_t length = section->size > 0 ? strcspn(text, " \t") : strlen(text);

		*name = text + length + strspn(text + length, " \t");
		if (length == strlen(section->name) && strncmp(text, section->name, length) == 0)
			return section;
	}
	return NULL;
}

static void take_section(void *context, int line, const char *name)
{
	struct place *place = context;
	const struct schema *schema = place->draft->schema;
	char sections[NAMES_TEXT_MAX];
	const char *rest;

	place->before_sections = false;
	place->index = 0;
	place->section = name ? find_section(schema, name, &rest) : NULL;
	if (place->section && place->section->size > 0)
		enter_named(place, line, rest);
	else if (place->section)
		enter_single(place, line);
	else if (name)
		findings_error(place->draft->findings, line, "unknown section [%s]: use %s", name,
			       all_sections(schema, sections));
}

/* "workers, log_level, ..." of a section. */
static const char *keys_of(const struct schema *schema, const struct section *section,
			   char text[static NAMES_TEXT_MAX])
{
	struct bounded_text keys;

	bounded_text_begin(&keys, text, NAMES_TEXT_MAX);
	for (size_t i = 0; i < schema->setting_count; i++) {
		if (schema->settings[i].sections & section->bit)
			bounded_text_add(&keys, "%s%s", keys.length > 0 ? ", " : "",
					 schema->settings[i].key);
	}
	return text;
}

static const struct setting *find_allowed(struct place *place, int line, const char *key)
{
	const struct schema *schema = place->draft->schema;
	const struct setting *setting = schema_find(schema, key);
	char keys[NAMES_TEXT_MAX];

	if (setting && (setting->sections & place->section->bit) != 0)
		return setting;
	if (!setting)
		findings_error(place->draft->findings, line,
			       "unknown key \"%s\": allowed in [%s] are %s", key,
			       place->section->name, keys_of(schema, place->section, keys));
	else
		findings_error(place->draft->findings, line,
			       "%s does not belong in [%s]: allowed there are %s", key,
			       place->section->name, keys_of(schema, place->section, keys));
	return NULL;
}

static void take_setting(void *context, int line, const char *key, const char *value)
{
	struct place *place = context;
	struct draft *draft = place->draft;
	const struct setting *setting;
	char sections[NAMES_TEXT_MAX];
	int *given;

	if (place->before_sections)
		findings_error(draft->findings, line, "%s is outside any section: begin with %s",
			       key, all_sections(draft->schema, sections));
	setting = place->section ? find_allowed(place, line, key) : NULL;
	if (!setting)
		return;
	given = &draft_lines(draft, place->section, place->index)
			 ->keys[setting - draft->schema->settings];
	if (*given != 0 && !setting->type->repeatable) {
		findings_error(draft->findings, line,
			       "%s is already set on line %d: set it once in a section", key,
			       *given);
		return;
	}
	*given = line;
	draft_set(draft, line, setting,
		  section_values(place->section, draft->program, place->index), value);
}

static void take_refusal(void *context, int line, const char *why)
{
	struct place *place = context;

	findings_error(place->draft->findings, line, "%s", why);
}

void draft_read(struct draft *draft, const char *text, size_t length)
{
	static const struct ini_events events = {take_section, take_setting, take_refusal};
	struct place place = {.draft = draft, .before_sections = true};

	strict_ini_read(text, length, &events, &place);
}
