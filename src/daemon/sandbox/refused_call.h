/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What becomes of a system call that the list of call_filter.h does not have: it fails with EPERM,
 * is counted, and rings a bell, so that a thread that may can write about it. It ends the process
 * where all signals are blocked, as the C library does while it creates a thread.
 */

#pragma once

#include <stdint.h>

/* The calling thread can be told; -1 with errno. */
int refused_call_prepare(void);

/* The bell FD is rung after each refusal; -1: none. The caller keeps it. */
void refused_call_ring(int fd);

uint64_t refused_calls(void);

/* The number of the first one; -1: there was none. */
int refused_call_first(void);
