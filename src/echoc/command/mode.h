/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What echoc can do: each mode is a row of the table in modes.c and a folder.
 */

#pragma once

#include <stdbool.h>

struct arguments;
struct target;

/* The exit statuses of echoc(1). */
enum echoc_status { ECHOC_INTACT = 0, ECHOC_DAMAGED = 1, ECHOC_UNABLE = 2 };

typedef enum echoc_status mode_run(const struct arguments *arguments, struct target *target);

struct mode {
	const char *name;
	char letter;	     /* in the table of options */
	bool takes_text;     /* after the target, dashes and all */
	bool prefers_udp;    /* unless -t is given */
	bool needs_host;     /* a unix socket is no target */
	bool speaks_stamp;   /* with or without --stamp */
	const char *usage;   /* the lines of the synopsis */
	const char *purpose; /* and those of the help */
	const char *options;
	mode_run *run;
};

extern const struct mode mode_table[]; /* of modes.c; ends with one without a name */

#define MODE_NAMES_MAX 128

/* NULL: none of MODES has that name. */
const struct mode *mode_find(const struct mode *modes, const char *name);

/* "ping, bench, send, flows, marks, idle or mtu". */
const char *mode_names(const struct mode *modes, char text[static MODE_NAMES_MAX]);

/* What the folders of the modes are entered by. */
mode_run ping_run;
mode_run bench_run;
mode_run flows_run;
mode_run idle_run;
mode_run marks_run;
mode_run mtu_run;
mode_run send_run;
