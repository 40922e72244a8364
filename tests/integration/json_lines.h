/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Reads what --json prints, strictly: one object a line, each of a known type with exactly the
 * names of its schema and values of the right kind. Anything else fails the test.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

struct json_line;

/* All lines of TEXT against the schemas; how many. */
size_t json_check(const char *text);

/* How many lines are of TYPE. */
size_t json_count(const char *text, const char *type);

/* The number under NAME ("rtt_us.p50") in the first line of TYPE; it must be one. */
double json_get(const char *text, const char *type, const char *name);

/* Whether the value under NAME in the first line of TYPE is that text, as written in JSON. */
bool json_is(const char *text, const char *type, const char *name, const char *value);
