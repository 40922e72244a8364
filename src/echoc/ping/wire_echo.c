/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Probes to an echo server (RFC 862): whatever is sent comes back. */

#include "config.h"

#include "echoc/ping/pinger.h"
#include "echoc/ping/wire.h"

static void write_probe(struct pinger *pinger, const struct probe *probe)
{
	probe_write(probe, 0, pinger->buffer, pinger->flow.size);
}

static uint64_t judge(struct pinger *pinger, size_t length, struct finding *finding)
{
	return flow_judge_datagram(&pinger->flow, pinger->buffer, length, finding);
}

static uint64_t identify(const struct pinger *pinger)
{
	struct probe probe;

	return probe_read(pinger->buffer, &probe) && probe.run == pinger->flow.run ? probe.sequence
										   : 0;
}

const struct ping_wire ping_wire_echo = {
	.name = "echo",
	.title = "ECHO",
	.write = write_probe,
	.judge = judge,
	.identity = PROBE_HEADER_SIZE,
	.identify = identify,
};
