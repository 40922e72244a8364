/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The query of a request, as forms send it: name=value pairs, percent-encoded. No I/O. */

#pragma once

#include <stddef.h>

#include "base/compiler.h"

enum http_parameter {
	PARAMETER_ABSENT,
	PARAMETER_PRESENT,
	PARAMETER_MALFORMED /* a bad escape, a NUL, or longer than SIZE allows */
};

/* Decodes the first value of NAME into VALUE, which is "" unless it is present. */
enum http_parameter http_parameter(const char *query, const char *name, char *value,
				   size_t size) WARN_UNUSED;
