/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What ping prints about each probe: a line in ping(8)'s format, or a JSON object.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "echoc/command/arguments.h"
#include "echoc/ping/far_side.h"
#include "probe/flow.h"
#include "probe/receive.h"
#include "probe/target.h"

struct ping_output {
	const struct arguments *arguments;
	const struct target *target;
	const char *title, *kind; /* of the probes */
	size_t size;
};

/* One reply, whatever its fate and finding. */
struct ping_reply {
	uint64_t sequence;
	uint64_t rtt;
	size_t bytes;
	enum fate fate;
	struct finding finding;
	struct reception reception;
	const struct far_report *report;
};

/* With -D: the wall clock at TIME of clock_ns(), before the rest of a line on OUT. */
void ping_output_clock(const struct ping_output *output, FILE *out, uint64_t time);

/* OWN_ADDRESS is NULL when there is no connection yet. */
void ping_output_start(const struct ping_output *output, uint64_t run, const char *own_address);
void ping_output_reply(const struct ping_output *output, const struct ping_reply *reply);

/* WHY is "timeout", "refused" and the like. */
void ping_output_lost(const struct ping_output *output, uint64_t sequence, const char *why);

/* Bytes that belong to no probe. */
void ping_output_unexpected(const struct ping_output *output, const unsigned char *data,
			    size_t length);

/* On standard error, in both forms: "connection lost", "reconnected". ERROR 0 is none. */
void ping_output_note(const struct ping_output *output, const char *what, int error);
