/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The files of UNIX sockets, which outlive a crash: replaced, and by one start at a time. */

#ifndef ECHOD_SOCKETS_UNIX_SOCKET_H
#define ECHOD_SOCKETS_UNIX_SOCKET_H

#include "base/address.h"
#include "base/compiler.h"

/*
 * Locks the directory of the file of ADDRESS, so that of two daemons that find a stale file there
 * only one replaces it. Held until the descriptor is closed; -1 when the directory cannot be opened
 * for reading. A lock held for long is not an echod's, and is not waited for.
 */
int unix_socket_lock(const struct address *address) WARN_UNUSED;

/*
 * Binds FD, of that type, in place of a file that nobody serves; -1 with errno and the call that
 * failed in STEP.
 */
int unix_socket_bind(int fd, int type, const struct address *address,
		     const char **step) WARN_UNUSED;

#endif
