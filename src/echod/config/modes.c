/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See modes.h. Called through its row in settings.c. */

#include "config.h"

#include "echod/config/modes.h"

#include <stdio.h>
#include <string.h>

#include "base/compiler.h"

const char *const mode_names[MODE_COUNT] = {
	[MODE_ECHO] = "echo", [MODE_STAMP] = "stamp", [MODE_ECHOPLUS] = "echoplus"};

static int parse_mode(const struct setting *setting UNUSED, void *value, const char *text,
		      struct reason *reason)
{
	for (uint64_t mode = 0; mode < MODE_COUNT; mode++) {
		if (strcmp(text, mode_names[mode]) == 0) {
			*(uint64_t *)value = mode;
			return 0;
		}
	}
	return reason_set(reason, "\"%s\" is not echo, stamp or echoplus", text);
}

static bool format_mode(const struct setting *setting UNUSED, const void *value, size_t item,
			char *text)
{
	(void)snprintf(text, VALUE_TEXT_MAX, "%s", mode_names[*(const uint64_t *)value]);
	return item == 0;
}

const struct value_type mode_value = {
	.size = sizeof(uint64_t), .parse = parse_mode, .format = format_mode};
