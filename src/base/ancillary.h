/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The control messages beside a datagram, where C libraries differ. */

#pragma once

#include <sys/socket.h>

/* CMSG_NXTHDR: glibc's takes a plain pointer although it only reads, and musl's causes warnings. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wsign-compare"
static inline struct cmsghdr *ancillary_next(const struct msghdr *message, struct cmsghdr *after)
{
	return CMSG_NXTHDR((struct msghdr *)message, after);
}
#pragma GCC diagnostic pop
