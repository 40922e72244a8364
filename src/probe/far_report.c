/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See far_report.h. Filled by stamp_session.c, and by ping for the other kinds of far side. */

#include "config.h"

#include "probe/far_report.h"

#include <math.h>

const struct far_report no_far_report = {
	.error = (double)NAN, .hops_there = -1, .hops_back = -1, .dscp = -1, .ecn = -1};
