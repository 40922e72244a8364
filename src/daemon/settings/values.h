/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The kinds of values that any program's setting can have; rows of its table point here. Numbers,
 * levels and durations (in milliseconds, short ones in microseconds) are uint64_t. Owns nothing
 * itself.
 */

#pragma once

#include <stdbool.h>

#include "daemon/settings/schema.h"

extern const struct value_type number_value;
extern const struct value_type number_or_auto_value; /* auto is 0 */
extern const struct value_type duration_value;
extern const struct value_type short_duration_value;
extern const struct value_type boolean_value;
extern const struct value_type word_value; /* uint64_t, its number among the words */
extern const struct value_type user_value;
extern const struct value_type endpoint_value;	/* struct address */
extern const struct value_type addresses_value; /* struct address_list */
extern const struct value_type networks_value;	/* struct netlist */
extern const struct value_type text_value;	/* struct text */

/* 1 to 32 of A-Z a-z 0-9 . _ - */
bool is_name(const char *text);
#define NAME_ALLOWED "1 to 32 of A-Z a-z 0-9 . _ -"
