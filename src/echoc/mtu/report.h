/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The results of mtu, as text and as JSON. */

#pragma once

#include "echoc/command/arguments.h"
#include "echoc/command/mode.h"
#include "echoc/mtu/back.h"
#include "echoc/mtu/stream.h"
#include "echoc/mtu/there.h"

struct mtu_report {
	const struct arguments *arguments; /* not owned */
	const struct target *target;	   /* not owned */
	uint64_t started;
	bool unfinished; /* a signal or an error ended it early */
};

void mtu_report_start(const struct mtu_report *report, int fd);

/* Of one size: an outcome_report, whose context is the report. */
void mtu_report_size(void *context, const struct outcome *outcome);

/* The end; what it means for the exit status. */
enum echoc_status mtu_report_datagrams(const struct mtu_report *report, const struct there *there,
				       const struct back *back, const struct prober *prober);
enum echoc_status mtu_report_segments(const struct mtu_report *report,
				      const struct segments *segments);
