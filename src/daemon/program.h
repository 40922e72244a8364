/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What each of our daemons does before anything else and after everything else, and how it reports
 * what is wrong with its file. Called by main.
 */

#pragma once

#include "daemon/log.h"

/* Scripts and units rely on them. */
enum exit_status {
	STATUS_OK = 0,
	STATUS_FAILURE = 1,
	STATUS_USAGE = 2,
	STATUS_NOT_PERMITTED = 4,
	STATUS_CONFIG = 6
};

/* Blocks the signals of signals.h, opens the log, and what of descriptors 0 to 2 is closed. */
void program_begin(void);

/* Findings in the file go to standard error as a compiler's would, whatever the log level. */
void program_report(enum log_level level, const char *line);

/* STATUS, or failure if standard output could not be written. */
enum exit_status program_end(enum exit_status status);
