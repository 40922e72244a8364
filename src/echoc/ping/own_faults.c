/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* Our own faults, kept apart from those of the path. Owns nothing; settle.c and ping.c call it. */

#include "config.h"

#include "echoc/ping/own_faults.h"

#include <stddef.h>

#include "base/clock.h"

#define SLEEP_MIN (10 * NS_PER_MS)

/* CLOCK_MONOTONIC stops while the computer sleeps, CLOCK_BOOTTIME does not. */
void own_faults_start(struct own_faults *faults)
{
	uint64_t before = clock_ns();

	*faults = (struct own_faults){.asleep = clock_read(CLOCK_BOOTTIME) - before};
}

uint32_t own_faults_drops(struct own_faults *faults, uint32_t count, uint64_t now)
{
	uint32_t more = count - faults->drops;

	faults->drops = count;
	if (more > 0) {
		faults->unexplained += more;
		faults->seen = now;
	}
	return more;
}

/* We may lose the processor between the two clocks: this is the least that it can have been. */
uint64_t own_faults_sleep(struct own_faults *faults, uint64_t next)
{
	uint64_t boot = clock_read(CLOCK_BOOTTIME);
	uint64_t asleep = boot - clock_ns();
	uint64_t slept = asleep - faults->asleep;

	if (asleep < faults->asleep || slept < SLEEP_MIN)
		return 0;
	faults->asleep = asleep;
	faults->awake_from = next;
	return slept;
}

const char *own_faults_explain(struct own_faults *faults, uint64_t sequence, uint64_t sent)
{
	if (sequence < faults->awake_from)
		return "this computer was asleep";
	if (faults->unexplained == 0 || sent > faults->seen)
		return NULL;
	faults->unexplained--;
	return "dropped by our own socket";
}
