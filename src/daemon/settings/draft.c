/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See draft.h. Everything that fills in a value goes through here, text and defaults alike. */

#include "config.h"

#include "daemon/settings/draft.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/settings/strict_ini.h"

static void set_word(struct draft *draft, int line, const struct setting *setting, void *values,
		     const char *word)
{
	struct reason reason;

	if (setting->type->parse(setting, setting_value(setting, values), word, &reason) < 0)
		findings_error(draft->findings, line, "%s: %s", setting->key, reason.text);
	else if (draft->take_word)
		draft->take_word(draft, line, setting, values);
}

void draft_set(struct draft *draft, int line, const struct setting *setting, void *values,
	       const char *text)
{
	char words[LINE_MAX_LENGTH + 1], *rest;

	if (*text == '\0') /* only a default is empty: none */
		return;
	if (!setting->type->list) {
		set_word(draft, line, setting, values, text);
		return;
	}
	(void)snprintf(words, sizeof(words), "%s", text);
	for (char *word = strtok_r(words, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest))
		set_word(draft, line, setting, values, word);
}

/* Its own, and those of sections that it has the defaults of. */
static unsigned bits_kept_in(const struct schema *schema, const struct section *section)
{
	unsigned bits = section->bit;

	for (size_t i = 0; i < schema->section_count; i++) {
		if (schema->sections[i].defaults == section)
			bits |= schema->sections[i].bit;
	}
	return bits;
}

static void set_defaults(struct draft *draft, const struct section *section)
{
	const struct schema *schema = draft->schema;
	unsigned bits = bits_kept_in(schema, section);
	void *values = section_values(section, draft->program, 0);

	for (size_t i = 0; i < schema->setting_count; i++) {
		if (schema->settings[i].sections & bits)
			draft_set(draft, WHOLE_FILE, &schema->settings[i], values,
				  schema->settings[i].default_text);
	}
}

void draft_begin(struct draft *draft)
{
	for (size_t i = 0; i < draft->schema->section_count; i++) {
		if (draft->schema->sections[i].size == 0)
			set_defaults(draft, &draft->schema->sections[i]);
	}
}

void draft_end(struct draft *draft)
{
	for (size_t i = 0; i < SECTIONS_MAX; i++)
		free(draft->named[i]);
}

struct section_lines *draft_lines(struct draft *draft, const struct section *section, size_t index)
{
	size_t at = (size_t)(section - draft->schema->sections);

	return section->size == 0 ? &draft->single[at] : &draft->named[at][index];
}

void *draft_add(struct draft *draft, const struct section *section, int line, const char *name)
{
	size_t at = (size_t)(section - draft->schema->sections);
	size_t count = section_count(section, draft->program);
	struct section_lines *lines;
	void *values = NULL;

	lines = reallocarray(draft->named[at], count + 1, sizeof(*lines));
	if (lines) {
		draft->named[at] = lines;
		lines[count] = (struct section_lines){.header = line};
		values = section_add(section, draft->program);
	}
	if (values)
		(void)snprintf(values, NAME_MAX_LENGTH + 1, "%s", name);
	else
		findings_error(draft->findings, line, "not enough memory");
	return values;
}

void draft_fold(struct draft *draft, const struct section *section, size_t index)
{
	const struct schema *schema = draft->schema;
	const struct section_lines *lines = draft_lines(draft, section, index);
	void *values = section_values(section, draft->program, index);
	const void *defaults = section_values_const(section->defaults, draft->program, 0);

	for (size_t i = 0; i < schema->setting_count; i++) {
		if ((schema->settings[i].sections & section->bit) != 0 && lines->keys[i] == 0)
			setting_share(&schema->settings[i], values, defaults);
	}
}

/* What needs a whole section to be found. */
static void check(struct draft *draft, const struct section *section, size_t index)
{
	const struct schema *schema = draft->schema;
	const struct section_lines *lines = draft_lines(draft, section, index);
	const char *name = section_values_const(section, draft->program, index); /* begins it */

	for (size_t i = 0; i < schema->setting_count; i++) {
		const struct setting *setting = &schema->settings[i];
		const char *why;

		if (!(setting->sections & section->bit))
			continue;
		if (setting->required && lines->keys[i] == 0)
			findings_error(draft->findings, lines->header, "[%s %s] has no %s: add one",
				       section->name, name, setting->key);
		why = lines->keys[i] != 0 ? schema_no_effect(schema, setting, name) : NULL;
		if (why)
			findings_warning(draft->findings, lines->keys[i],
					 "%s has no effect: [%s %s] %s", setting->key,
					 section->name, name, why);
	}
}

void draft_finish(struct draft *draft)
{
	for (size_t i = 0; i < draft->schema->section_count; i++) {
		const struct section *section = &draft->schema->sections[i];

		for (size_t j = 0; section->size > 0 && j < section_count(section, draft->program);
		     j++) {
			draft_fold(draft, section, j);
			check(draft, section, j);
		}
	}
}
