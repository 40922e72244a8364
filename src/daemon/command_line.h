/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The command line that all our daemons have: -c FILE, -t, -T, -v, -V, -h, their long names, and
 * beside them the options of one program. Reports what is wrong with it. Called once, by main,
 * before anything else. Owns nothing.
 */

#pragma once

#include <stdbool.h>

#include "base/compiler.h"

enum action { ACTION_RUN, ACTION_TEST, ACTION_DUMP, ACTION_VERSION, ACTION_HELP };

/* An option that only this program has. */
struct command_option {
	char letter;
	const char *name;
	const char *value; /* that it needs, in words; NULL: it takes none */
	/* -1 after command_refuse. VALUE is a word of the command line. */
	int (*take)(void *arg, const char *value);
};

#define COMMAND_OPTIONS_MAX 8

struct command {
	const char *program;
	const char *file; /* the default of -c */
	const char *purpose;
	const char *synopsis;		      /* of its own options, with a blank before each */
	const char *help;		      /* lines about them */
	const char *verbose;		      /* what -v logs */
	const char *notes;		      /* paragraphs about its values, or "" */
	const struct command_option *options; /* the last one has no name */
};

/* What was said. PATH is the file to read, which need not exist unless it was named. */
struct command_line {
	enum action action;
	const char *path;
	bool must_exist;
	unsigned verbose; /* number of -v */
};

/* ARG is that of the program's own options. -1 after an error message on standard error. */
int command_parse(const struct command *command, struct command_line *line, void *arg, int argc,
		  char *argv[]) WARN_UNUSED;

/* Writes the message and the usage to standard error. Returns -1. */
int command_refuse(const struct command *command, const char *format, ...) PRINTF_LIKE(2, 3);

/* Writes help or the version to standard output. False: neither was asked for. */
bool command_inform(const struct command *command, enum action action) WARN_UNUSED;
