/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The conclusions from the books of all flows: which are lossy, the sums of each class, how many
 * paths there are.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "probe/books.h"
#include "probe/lossy_flows.h"

struct flows;

/* The flows that lose alike. */
struct flow_class {
	size_t flows;
	uint64_t lost; /* on the path; over TCP also what was sent again */
	uint64_t delayed;
	uint64_t retransmits;
	struct books books;
	uint8_t ttl_least; /* received; 0: none was */
	uint8_t ttl_most;
};

struct findings {
	struct flow_loss *losses;   /* owned: one for each flow, in the order of ports */
	struct flow_class *classes; /* owned: the first are not lossy, then from the most on */
	unsigned lossy_classes;
	size_t lossy;
	struct books sum;
	size_t paths_at_least;
	struct path_estimate paths;
	double seconds; /* since the start */
};

/* -1 without memory. */
int flow_findings_make(struct findings *findings, const struct flows *flows) WARN_UNUSED;
void flow_findings_clear(struct findings *findings);

/* The first lossy flow; the number of all flows when there is none. */
size_t findings_first_lossy(const struct findings *findings, const struct flows *flows);

#define REPEAT_TEXT_MAX 512

/* The command that tries the flow again; NULL when that is not to be had. */
const char *findings_repeat(const struct flows *flows, size_t flow,
			    char text[static REPEAT_TEXT_MAX]);
