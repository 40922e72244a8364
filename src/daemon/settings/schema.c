/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See schema.h. */

#include "config.h"

#include "daemon/settings/schema.h"

#include <stdlib.h>
#include <string.h>

const struct setting *schema_find(const struct schema *schema, const char *key)
{
	for (size_t i = 0; i < schema->setting_count; i++) {
		if (strcmp(schema->settings[i].key, key) == 0)
			return &schema->settings[i];
	}
	return NULL;
}

const char *schema_no_effect(const struct schema *schema, const struct setting *setting,
			     const void *values)
{
	return schema->no_effect ? schema->no_effect(setting, values) : NULL;
}

void *setting_value(const struct setting *setting, void *section)
{
	return (char *)section + setting->offset;
}

const void *setting_value_const(const struct setting *setting, const void *section)
{
	return (const char *)section + setting->offset;
}

bool setting_equal(const struct setting *setting, const void *section, const void *other)
{
	const void *a = setting_value_const(setting, section);
	const void *b = setting_value_const(setting, other);
	char a_text[VALUE_TEXT_MAX], b_text[VALUE_TEXT_MAX];
	size_t item = 0;

	for (;;) {
		bool a_more = setting->type->format(setting, a, item, a_text);
		bool b_more = setting->type->format(setting, b, item, b_text);

		if (!a_more || !b_more)
			return a_more == b_more;
		if (strcmp(a_text, b_text) != 0)
			return false;
		item++;
	}
}

void setting_share(const struct setting *setting, void *to, const void *from)
{
	void *target = setting_value(setting, to);
	const void *source = setting_value_const(setting, from);

	if (setting->type->share)
		setting->type->share(target, source);
	else
		memcpy(target, source, setting->type->size);
}

/* Both of a section with a name. */
static size_t *count_in(const struct section *section, void *program)
{
	return (void *)((char *)program + section->count_offset);
}

static void *array_in(const struct section *section, const void *program)
{
	void *array; /* in the program it is a pointer to its own type */

	memcpy(&array, (const char *)program + section->offset, sizeof(array));
	return array;
}

size_t section_count(const struct section *section, const void *program)
{
	size_t count = 1;

	if (section->size > 0)
		memcpy(&count, (const char *)program + section->count_offset, sizeof(count));
	return count;
}

void *section_values(const struct section *section, void *program, size_t index)
{
	if (section->size == 0)
		return (char *)program + section->offset;
	return (char *)array_in(section, program) + index * section->size;
}

const void *section_values_const(const struct section *section, const void *program, size_t index)
{
	if (section->size == 0)
		return (const char *)program + section->offset;
	return (const char *)array_in(section, program) + index * section->size;
}

void *section_add(const struct section *section, void *program)
{
	size_t *count = count_in(section, program);
	char *grown = reallocarray(array_in(section, program), *count + 1, section->size);

	if (!grown)
		return NULL;
	memcpy((char *)program + section->offset, &grown, sizeof(grown));
	return memset(grown + (*count)++ * section->size, 0, section->size);
}

static void clear_values(const struct schema *schema, const struct section *section, void *values)
{
	for (size_t i = 0; i < schema->setting_count; i++) {
		const struct setting *setting = &schema->settings[i];

		if ((setting->sections & section->bit) != 0 && setting->type->clear)
			setting->type->clear(setting_value(setting, values));
	}
}

void section_clear(const struct schema *schema, const struct section *section, void *program)
{
	for (size_t i = section_count(section, program); i > 0; i--)
		clear_values(schema, section, section_values(section, program, i - 1));
	if (section->size == 0)
		return;
	free(array_in(section, program));
	memset((char *)program + section->offset, 0, sizeof(void *));
	*count_in(section, program) = 0;
}
