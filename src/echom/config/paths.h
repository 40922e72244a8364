/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The value of the setting targets_file: a list of absolute paths, each named once. */

#pragma once

#include <stddef.h>

#include "daemon/settings/schema.h"

#define PATHS_MAX 64

struct paths {
	char **items;
	size_t count;
};

extern const struct value_type paths_value;
