/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See memory.h. */

#include "config.h"

#include "echoc/idle/memory.h"

size_t memory_waits(uint64_t up_to, uint64_t waits[static WAITS_MAX])
{
	uint64_t wait = WAIT_FIRST;
	size_t count = 0;

	for (; wait < up_to && count < WAITS_MAX - 1; wait += wait / 4)
		waits[count++] = wait;
	waits[count++] = up_to;
	return count;
}

size_t memory_waits_between(const struct memory *memory, uint64_t waits[static WAITS_MAX])
{
	uint64_t step;

	if (memory->kept == 0 || memory->forgotten == 0)
		return 0;
	step = (memory->forgotten - memory->kept) / (WAITS_BETWEEN + 1);
	for (size_t i = 0; i < WAITS_BETWEEN; i++)
		waits[i] = memory->kept + (i + 1) * step;
	return WAITS_BETWEEN;
}

/* A flow that was kept longer than another was forgotten says nothing: its port was free again. */
void memory_enter(struct memory *memory, uint64_t wait, enum memory_fate fate)
{
	memory->answered += fate != FATE_UNANSWERED;
	memory->unclear += fate == FATE_PATH_DOWN;
	if (fate == FATE_FORGOTTEN && (memory->forgotten == 0 || wait < memory->forgotten))
		memory->forgotten = wait;
	if (fate == FATE_CLOSED && (memory->closed == 0 || wait < memory->closed))
		memory->closed = wait;
	if (fate == FATE_KEPT && wait > memory->kept &&
	    (memory->forgotten == 0 || wait < memory->forgotten))
		memory->kept = wait;
	if (memory->forgotten != 0 && memory->kept >= memory->forgotten)
		memory->kept = 0;
}

uint64_t memory_keep_alive(const struct memory *memory)
{
	uint64_t least = memory->forgotten != 0 ? memory->forgotten : memory->closed;

	if (least == 0)
		return 0;
	if (memory->kept > 0 && memory->kept < least)
		least = memory->kept;
	return least / 2;
}
