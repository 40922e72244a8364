/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The table of echom's settings. Walked by daemon/settings/. */

#pragma once

#include "daemon/settings/schema.h"

extern const struct schema echom_schema;

/* Its sections in the order of the schema. */
enum { WATCH_SERVER_SECTION, WATCH_DEFAULTS_SECTION, WATCH_TARGET_SECTION };
