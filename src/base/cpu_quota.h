/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The CPU quota of this process's control group, version 1 or 2 (CPUQuota= of a unit, the limit of
 * a container). More threads than that only wait for each other. Owns nothing; a daemon asks once,
 * when it starts.
 */

#pragma once

#include <stdint.h>

/* Where Linux has them. */
#define CPU_QUOTA_GROUPS "/proc/self/cgroup"
#define CPU_QUOTA_ROOT "/sys/fs/cgroup"

/*
 * The number of CPUs that the smallest quota, from the process's group up to the root of the
 * hierarchy, is worth: rounded up, at least 1. 0: there is no quota, or none that can be read.
 */
uint64_t cpu_quota(const char *groups, const char *root);
