/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The kinds of values a setting can have: how each is read, written, shared and released. Owns
 * nothing itself; rows of the table in settings.c point here.
 */

#ifndef DAEMON_SETTINGS_VALUES_H
#define DAEMON_SETTINGS_VALUES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "daemon/settings/escaped_text.h"

struct setting;

#define VALUE_TEXT_MAX ESCAPED_TEXT_MAX

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

extern const struct value_type number_value;
extern const struct value_type number_or_auto_value; /* auto is 0 */
extern const struct value_type duration_value;
extern const struct value_type boolean_value;
extern const struct value_type log_level_value;
extern const struct value_type user_value;
extern const struct value_type endpoint_value;
extern const struct value_type addresses_value;
extern const struct value_type protocols_value;
extern const struct value_type networks_value;
extern const struct value_type text_value;

/* 1 to 32 of A-Z a-z 0-9 . _ - */
bool is_name(const char *text);
#define NAME_ALLOWED "1 to 32 of A-Z a-z 0-9 . _ -"

#endif
