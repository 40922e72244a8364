/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The options of echoc, one row each: which modes have it, what it takes, its default as text.
 */

#pragma once

#include <getopt.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "echoc/command/arguments.h"

enum kind {
	KIND_FLAG,
	KIND_TEXT,
	KIND_NUMBER,
	KIND_DURATION,
	KIND_RATE,
	KIND_SIZE,
	KIND_FRAGMENTING,
	KIND_TOS,
	KIND_PROXY
};

/* Letters of the options that have only a long name. */
enum {
	LONG_REPORT = 256,
	LONG_JSON,
	LONG_BUSY,
	LONG_OUTAGE,
	LONG_TTL,
	LONG_PROXY,
	LONG_CONNECT,
	LONG_STAMP,
	LONG_PLUS,
	LONG_KEY_FILE,
	LONG_SSID,
	LONG_TTL_GUARDED,
	LONG_TTL_FRESH,
	LONG_DSCP,
	LONG_UP_TO,
	LONG_FRESH
};

struct option_row {
	int letter;
	const char *modes; /* their letters; NULL: every mode */
	enum kind kind;
	size_t offset;
	const char *fallback; /* read like what a user writes */
	uint64_t min;
	uint64_t max;
};

#define SHORT_OPTIONS_MAX 128

extern const struct option long_options[]; /* as getopt_long takes them */

/* The short options of MODE, as getopt_long takes them. */
void option_letters(const struct mode *mode, char text[static SHORT_OPTIONS_MAX]);

/* NULL: MODE has no such option. */
const struct option_row *option_find(const struct mode *mode, int letter);

/* The name of an option that has a long one only. */
const char *option_long_name(int letter);

int option_set(struct arguments *arguments, const struct option_row *row, const char *text,
	       struct reason *reason) WARN_UNUSED;

/* All that the mode of ARGUMENTS has defaults for. */
void option_set_defaults(struct arguments *arguments);
