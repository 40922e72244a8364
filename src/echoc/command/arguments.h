/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The command line of echoc: which mode, and every parameter of it, checked as far as that is
 * possible before the target is known. Points into argv.
 */

#ifndef ECHOC_COMMAND_ARGUMENTS_H
#define ECHOC_COMMAND_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "probe/target.h"

/* The exit statuses of echoc(1). */
enum echoc_status { ECHOC_INTACT = 0, ECHOC_DAMAGED = 1, ECHOC_UNABLE = 2 };

enum mode { MODE_PING, MODE_BENCH, MODE_SEND };

struct arguments {
	enum mode mode;
	bool help;
	bool version;
	bool json;
	bool verbose;
	bool quiet;
	bool gso;
	bool only_v4;
	bool only_v6;
	struct target_options target;
	uint64_t count; /* ping: 0 is endless */
	uint64_t size;
	uint64_t interval_ms;
	uint64_t timeout_ms; /* ping -W, send -w */
	uint64_t report_ms;  /* 0: none */
	uint64_t connections;
	uint64_t depth;
	uint64_t rate; /* 0: closed loop */
	uint64_t duration_ms;
	uint64_t threads;
	char *const *texts;
	size_t text_count;
};

extern const char *const mode_names[]; /* indexed by enum mode */

/* 0, or -1 after a message on standard error that says what is allowed. */
int arguments_parse(struct arguments *arguments, int argc, char *argv[]) WARN_UNUSED;

void arguments_help(void); /* to standard output */

#endif
