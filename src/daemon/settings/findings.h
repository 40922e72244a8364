/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Errors and warnings about a configuration file. Collected in any order, reported in the order of
 * the lines. Owns the texts.
 */

#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "daemon/log.h"

/* In place of a line number. */
enum { WHOLE_FILE = 0, NOT_IN_FILE = INT_MAX };

struct file_finding {
	enum log_level level;
	int line;
	size_t order;
	char *text;
};

struct findings {
	struct file_finding *items;
	size_t count;
	size_t errors;
	bool lost; /* a finding was lost for lack of memory */
};

/* Takes a level and a whole line, "FILE:LINE: what, and what is allowed". */
typedef void report_finding(enum log_level level, const char *line);

/* LINE counts from 1. The text is without place and level. */
void findings_error(struct findings *findings, int line, const char *format, ...) PRINTF_LIKE(3, 4);
void findings_warning(struct findings *findings, int line, const char *format, ...)
	PRINTF_LIKE(3, 4);

/* Reports them all, each with its place in the file PATH; false when one of them was an error. */
bool findings_report(struct findings *findings, const char *path, report_finding *report);

void findings_clear(struct findings *findings);
