/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What a probe and its reply look like on the wire: a row and a file for each kind of far side.
 * When a probe is sent and how its fate is decided is the same for all.
 */

#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/reason.h"
#include "probe/flow.h"

struct pinger;
struct arguments;

struct ping_wire {
	const char *name;  /* in JSON */
	const char *title; /* of what is printed */

	/* May be NULL. Before anything else; sets the size of the probes. */
	int (*init)(struct pinger *pinger, struct reason *reason);

	/* Writes a probe into the buffer. */
	void (*write)(struct pinger *pinger, const struct probe *probe);

	/*
	 * The sequence that a datagram in the buffer is the reply to, and how it differs; 0: of
	 * none. Notes in the pinger's report what else it says.
	 */
	uint64_t (*judge)(struct pinger *pinger, size_t length, struct finding *finding);

	/* How many bytes an ICMP error must quote, in the buffer, and which sequence; 0: none. */
	size_t identity;
	uint64_t (*identify)(const struct pinger *pinger);
};

extern const struct ping_wire ping_wire_echo, ping_wire_stamp, ping_wire_plus;

/* The sequence of the flow whose low 32 bits, one of which is on the wire, are NUMBER. */
static inline uint64_t wire_sequence(const struct flow *flow, uint32_t number)
{
	return flow_next(flow) - (uint32_t)((uint32_t)flow_next(flow) - number);
}
