/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Which of many flows to one target lose more than the others, which of those lose alike, and how
 * many paths that suggests.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#define LOSSY_LEAST 3	  /* lost, or it is chance */
#define LOSSY_CHANCE 1e-4 /* that any flow of a run is found lossy without being so */

struct flow_loss {
	uint64_t sent;
	uint64_t lost;
	unsigned class; /* 0: not lossy; 1: of those that lose most, and so on */
};

/*
 * Sets the class of each. A flow is lossy if it lost at least LOSSY_LEAST, and as many by chance
 * only with a probability below LOSSY_CHANCE / COUNT, were its loss max(that of the flows not found
 * lossy, 1 / their probes); repeated until nothing changes. Returns how many are.
 */
size_t lossy_flows_find(struct flow_loss *flows, size_t count);

/* How many classes there are, beside 0. */
unsigned lossy_flows_classes(const struct flow_loss *flows, size_t count);

struct path_estimate {
	double paths; /* all NaN without a lossy flow */
	double low;   /* and the bounds of a 95 % confidence interval */
	double high;
};

/* If each of CLASSES is the flows of one path, and the flows are spread evenly over all paths. */
struct path_estimate lossy_flows_paths(size_t count, size_t lossy, unsigned classes);
