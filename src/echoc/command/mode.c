/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Modes by name. Owns nothing; the command line calls it.
 */

#include "config.h"

#include "echoc/command/mode.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

const struct mode *mode_find(const struct mode *modes, const char *name)
{
	while (modes->name && strcmp(modes->name, name) != 0)
		modes++;
	return modes->name ? modes : NULL;
}

const char *mode_names(const struct mode *modes, char text[static MODE_NAMES_MAX])
{
	size_t length = 0;

	for (const struct mode *mode = modes; mode->name && length < MODE_NAMES_MAX; mode++) {
		const char *before = mode == modes ? "" : mode[1].name ? ", " : " or ";

		length += (size_t)snprintf(text + length, MODE_NAMES_MAX - length, "%s%s", before,
					   mode->name);
	}
	return text;
}
