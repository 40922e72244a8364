/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a program's file may hold: its sections, and the table of its settings, whose values are
 * kept in a struct of the program's. Constant; everything else in this folder walks it.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "daemon/settings/escaped_text.h"

#define VALUE_TEXT_MAX ESCAPED_TEXT_MAX

/* Of a section, or of a user; values.h has is_name. */
#define NAME_MAX_LENGTH 32

struct setting;

/* How values of a kind are read, written, shared and released. */
struct value_type {
	size_t size;
	bool list;	 /* words separated by blanks: read and written word by word */
	bool repeatable; /* the key may be repeated */

	/* Reads a value, or adds one word to a list. */
	int (*parse)(const struct setting *setting, void *value, const char *text,
		     struct reason *reason);

	/* Writes a value, or a list's word number ITEM; false when there is none. */
	bool (*format)(const struct setting *setting, const void *value, size_t item, char *text);

	/* NULL: the value is its bytes and owns nothing. What is shared is cleared first. */
	void (*share)(void *to, const void *from);
	void (*clear)(void *value);
};

struct setting {
	const char *key;
	unsigned sections; /* bits of those in which the key is allowed */
	const struct value_type *type;
	size_t offset; /* in the struct of its sections */
	uint64_t min, max;
	const char *const *words; /* of a word_value; the last is NULL */
	const char *default_text; /* "": none */
	unsigned applies_to;	  /* what the no_effect() of the schema makes of it */
	bool required;		  /* in a section with a name */
	bool restart;		  /* takes effect only at a restart; in sections that occur once */
};

/* Room for the marks of each row, and of each section. */
#define SETTINGS_MAX 32
#define SECTIONS_MAX 4

/*
 * [server] occurs once, and its struct lies within the program's. [listener NAME] may be repeated:
 * the program has a pointer to an array of structs, each of which begins with a
 * char [NAME_MAX_LENGTH + 1] for the name, and a size_t that says how many there are.
 */
struct section {
	const char *name;
	unsigned bit;	     /* in the sections of a row */
	size_t offset;	     /* of the struct or of the pointer, in the program's struct */
	size_t size;	     /* of one struct of the array; 0: the section occurs once */
	size_t count_offset; /* of the size_t */

	/* Whose values it uses where it has none of its own: a struct of the same type. */
	const struct section *defaults;
};

struct schema {
	const struct section *sections;
	size_t section_count;
	const struct setting *settings;
	size_t setting_count;

	/*
	 * Why a setting has no effect in a section with a name, "serves no TCP"; NULL: it has. May
	 * be NULL: then all have.
	 */
	const char *(*no_effect)(const struct setting *setting, const void *values);
};

/* NULL when there is no such key. */
const struct setting *schema_find(const struct schema *schema, const char *key);

/* What its no_effect() returns, or NULL without one. */
const char *schema_no_effect(const struct schema *schema, const struct setting *setting,
			     const void *values);

/* The value in the struct of its section. */
void *setting_value(const struct setting *setting, void *section);
const void *setting_value_const(const struct setting *setting, const void *section);

/* Reads alike: every item has the same text. */
bool setting_equal(const struct setting *setting, const void *section, const void *other);

/* The section TO, which has no value of its own, uses that of FROM, which outlives it. */
void setting_share(const struct setting *setting, void *to, const void *from);

/* The sections of a kind that PROGRAM, the program's struct, has. */
size_t section_count(const struct section *section, const void *program);
void *section_values(const struct section *section, void *program, size_t index);
const void *section_values_const(const struct section *section, const void *program, size_t index);

/* One more at the end of the array, of zeros; NULL when there is no memory. */
void *section_add(const struct section *section, void *program) WARN_UNUSED;

/* Frees what the values own, and forgets those that have a name. */
void section_clear(const struct schema *schema, const struct section *section, void *program);
