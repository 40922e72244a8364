/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The parsed command line of echoc: the mode and all of its parameters. Points into argv.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "echoc/command/mode.h"
#include "probe/target.h"

#define OUTAGE_DEFAULT 2 /* probes lost in a row */

struct arguments {
	const struct mode *mode; /* NULL: none was named */
	bool help;
	bool version;
	bool json;
	bool verbose;
	bool quiet;
	bool gso;
	bool connect; /* for each message */
	bool busy;
	bool wall_clock;  /* on each line */
	bool stamp;	  /* ping: to a STAMP reflector, */
	bool plus;	  /* or to a UDPEchoPlus server */
	bool ttl_guarded; /* what replies leave with: one less than they came with, */
	bool ttl_fresh;	  /* or one of the usual starts */
	bool only_tcp;
	bool only_v4;
	bool only_v6;
	struct target_options target;
	uint64_t count; /* ping: 0 is endless */
	uint64_t size;
	uint64_t interval_ms;
	uint64_t timeout_ms;  /* -W; send -w */
	uint64_t deadline_ms; /* 0: none */
	uint64_t report_ms;   /* 0: none */
	uint64_t outage;      /* 0: OUTAGE_DEFAULT, and -q hides them */
	uint64_t ssid;
	const char *key_file;
	bool fresh;	   /* idle: flows that are not warmed up */
	uint64_t up_to_ms; /* idle */
	const char *dscps; /* marks: NULL are those in use */
	uint64_t connections;
	uint64_t flows;
	uint64_t depth;
	uint64_t rate; /* 0: closed loop */
	uint64_t duration_ms;
	uint64_t threads;
	char *const *texts;
	size_t text_count;
};
