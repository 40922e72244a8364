/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See descriptors.h. */

#include "config.h"

#include "daemon/descriptors.h"

#include <sys/resource.h>

/* What a process usually has, where the kernel refuses to tell. */
#define DESCRIPTORS_USUAL 1024

uint64_t descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return DESCRIPTORS_USUAL;
	if (limit.rlim_cur != limit.rlim_max) {
		struct rlimit raised = {limit.rlim_max, limit.rlim_max};

		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur;
}
