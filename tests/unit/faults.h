/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Lets a call of ours into the C library or libevent fail, for tests of what happens then. The
 * program is linked with faults_flags of Makefile.inc, by which such calls come here first. Only
 * the thread that asked for a fault meets it.
 */

#pragma once

#include <stdbool.h>

/* The name for all that fails without memory: malloc and its like, event_add, mmap. */
#define MEMORY "memory"

/* The call of NAME that comes after SKIP others fails with ERROR, once. */
void fault_after(unsigned skip, const char *name, int error);
/* The very next one, and TIMES in a row. */
void fault_next(const char *name, int error);
void fault_next_times(unsigned times, const char *name, int error);

/* From now on the first thread that is created meets it, instead of the one that asked. */
void fault_hand_on(void);

/*
 * From now on timers have memory: those of a loop are set at moments that no test foresees.
 */
void fault_spare_timers(void);

/*
 * Ends it; whether it has happened. Before this a test must assert nothing where MEMORY fails:
 * libcheck needs some.
 */
bool fault_over(void);

/* How many more blocks were allocated than freed in the meantime. */
long fault_blocks(void);

/* To see that none was left open. */
int fault_lowest_fd(void);
