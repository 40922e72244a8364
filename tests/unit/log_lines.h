/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What is logged, for tests that read it. Standard error is a file in memory meanwhile, and the
 * log takes it for journald's, so that lines have a priority and no time: "<5>listening on ...".
 */

#pragma once

#include <stdbool.h>

#include "daemon/log.h"

void log_lines_begin(enum log_level level);
void log_lines_end(void);

/* The lines since the last call, each with its end; valid until the next call. */
const char *log_lines(void);
