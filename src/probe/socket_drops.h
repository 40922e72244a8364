/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * How many datagrams our own socket dropped: those that came while its receive buffer was full.
 * They reached this host, so that they are no loss of the path's.
 */

#pragma once

#include <stdint.h>

/* Of FD since it was opened, modulo 2^32; 0 where the kernel does not know. */
uint32_t socket_drops(int fd);
