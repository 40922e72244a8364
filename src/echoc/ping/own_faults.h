/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Faults of this host, not of the path: the socket drops replies, the process is stopped, the
 * computer sleeps. Owns nothing; the pinger has one.
 */

#pragma once

#include <stdbool.h>
#include <stdint.h>

struct own_faults {
	uint32_t drops;	      /* the kernel's count, as far as it is in the books */
	uint64_t unexplained; /* drops that no loss was put down to yet, */
	uint64_t seen;	      /* seen at this time: a probe sent later is none of them */
	uint64_t asleep;      /* how long the computer slept since it was booted */
	uint64_t awake_from;  /* the first sequence sent after it last slept in this run */
};

/* At the start of a run. */
void own_faults_start(struct own_faults *faults);

/* How many drops there are since the last call; the count of the socket is now COUNT. */
uint32_t own_faults_drops(struct own_faults *faults, uint32_t count, uint64_t now);

/* How long the computer slept since the last call, 0 if it did not; NEXT is sent next. */
uint64_t own_faults_sleep(struct own_faults *faults, uint64_t next);

/* Why the loss of SEQUENCE, sent at SENT, is no loss of the path's; NULL: it may be. */
const char *own_faults_explain(struct own_faults *faults, uint64_t sequence, uint64_t sent);
