/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * A list of the system calls that a thread may make from now on, by seccomp. Whatever else is
 * asked for in its name fails with EPERM, or kills the process. Nothing takes it back.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Longer lists do not fit. */
#define CALLS_MAX 256

struct call_list {
	const int *calls; /* not owned */
	size_t count;
};

/*
 * For the calling thread and those that it starts: it may make the calls of ALLOWED, and those of
 * VAIN fail, which the C library expects of them. KILL: any other call ends the process, instead of
 * being refused and counted (refused_call.h). -1 with errno: ENOSYS where the kernel or the machine
 * has none.
 */
int call_filter_apply(const struct call_list *allowed, const struct call_list *vain, bool kill);
