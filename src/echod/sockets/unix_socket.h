/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The files of UNIX sockets, which outlive a crash: replaced, and by one start at a time. */

#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/address.h"
#include "base/compiler.h"

/* Identifies the file of a socket of ours, which another one may replace. */
struct unix_file {
	dev_t device;
	ino_t inode;
};

/*
 * Locks the directory of the file of ADDRESS, so that of two daemons that find a stale file there
 * only one replaces it. Held until the descriptor is closed; -1 when the directory cannot be opened
 * for reading. It does not wait for a lock held for long, which is not an echod's.
 */
int unix_socket_lock(const struct address *address) WARN_UNUSED;

/*
 * A socket of TYPE, bound in place of a file that is not in use, and listening: a descriptor that
 * is the caller's, its file in FILE; -1 with errno and the call that failed in STEP. Of two daemons
 * that find a stale file only one replaces it.
 */
int unix_socket_open(int type, const struct address *address, struct unix_file *file,
		     const char **step) WARN_UNUSED;

/* Somebody removed or replaced the file at ADDRESS. */
bool unix_file_is_lost(const struct unix_file *file, const struct address *address);

/* Removes it if it is still the same. */
void unix_file_remove(const struct unix_file *file, const struct address *address);

/* What would help against ERROR, as the end of a line; "" if nothing special. */
const char *unix_socket_advice(int error);
