/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See settings.h. One load from beginning to end, and what is done with the result. */

#include "config.h"

#include "daemon/settings/settings.h"

#include <assert.h>
#include <stdlib.h>

static enum config_file read_file(struct draft *draft, const struct settings_source *source)
{
	char *text = NULL;
	size_t length = 0;
	struct reason reason;
	size_t max = source->size_max > 0 ? source->size_max : CONFIG_FILE_MAX;
	enum config_file result = config_file_read(source->path, max, &text, &length, &reason);

	if (result == CONFIG_FILE_READ)
		draft_read(draft, text, length);
	else if (result == CONFIG_FILE_BAD || source->must_exist)
		findings_error(draft->findings, WHOLE_FILE, "%s", reason.text);
	free(text);
	return result;
}

enum config_file settings_load(const struct schema *schema, void *program,
			       const struct settings_source *source, report_finding *report)
{
	struct findings findings = {0};
	struct draft draft = {.schema = schema,
			      .program = program,
			      .findings = &findings,
			      .take_word = source->take_word,
			      .context = source->context};
	enum config_file result;

	draft_begin(&draft);
	result = read_file(&draft, source);
	draft_finish(&draft);
	if (source->finish)
		source->finish(&draft);
	draft_end(&draft);
	if (!findings_report(&findings, source->path, report))
		result = CONFIG_FILE_BAD;
	findings_clear(&findings);
	return result;
}

void settings_clear(const struct schema *schema, void *program)
{
	for (size_t i = 0; i < schema->section_count; i++)
		section_clear(schema, &schema->sections[i], program);
}

static bool differs(const struct schema *schema, const struct setting *setting, const void *now,
		    const void *next)
{
	for (size_t i = 0; i < schema->section_count; i++) {
		const struct section *section = &schema->sections[i];

		if (!(setting->sections & section->bit))
			continue;
		assert(section->size == 0); /* those with a name come and go */
		if (!setting_equal(setting, section_values_const(section, now, 0),
				   section_values_const(section, next, 0)))
			return true;
	}
	return false;
}

void settings_compare(const struct schema *schema, const void *now, const void *next,
		      void (*needs_restart)(const char *key))
{
	for (size_t i = 0; i < schema->setting_count; i++) {
		const struct setting *setting = &schema->settings[i];

		if (setting->restart && differs(schema, setting, now, next))
			needs_restart(setting->key);
	}
}
