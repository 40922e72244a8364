/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See descriptors.h. Owns nothing. */

#include "config.h"

#include "probe/descriptors.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#define OTHERS 32u

int descriptors_allow(size_t count, const char *option, struct reason *reason)
{
	rlim_t needed = count + OTHERS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= needed)
		return 0;
	if (limit.rlim_max < needed)
		return reason_set(reason,
				  "%zu sockets need %llu open files, but the limit is %llu: "
				  "raise it (ulimit -n) or use fewer (%s)",
				  count, (unsigned long long)needed,
				  (unsigned long long)limit.rlim_max, option);
	limit.rlim_cur = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return reason_set(reason, "cannot raise the limit of open files: %s",
				  strerror(errno));
	return 0;
}
