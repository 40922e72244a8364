/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The drop counter of a socket, read on demand: SO_RXQ_OVFL would cost something for each datagram.
 * Owns nothing.
 */

#include "config.h"

#include "probe/socket_drops.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

uint32_t socket_drops(int fd)
{
	uint32_t values[SK_MEMINFO_VARS] = {0};
	socklen_t size = sizeof(values);

	if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, values, &size) < 0)
		return 0;
	return values[SK_MEMINFO_DROPS];
}
