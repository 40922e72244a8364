/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What idle prints, for people and for programs. */

#pragma once

#include "echoc/command/arguments.h"
#include "echoc/idle/memory.h"
#include "echoc/idle/silent_flow.h"
#include "probe/target.h"

struct idle_report {
	const struct arguments *arguments;
	const struct target *target;
	unsigned round;
	bool unfinished; /* a signal or an error ended it early */
};

void idle_put_start(const struct idle_report *report, size_t waits);
void idle_put_flow(const struct idle_report *report, const struct silent_flow *flow);
void idle_put_end(const struct idle_report *report, const struct memory *memory, bool located);

void idle_print_start(const struct idle_report *report, size_t waits);
void idle_print_flow(const struct silent_flow *flow);
void idle_print_again(const struct memory *memory);
void idle_print_end(const struct idle_report *report, const struct memory *memory, bool located);
