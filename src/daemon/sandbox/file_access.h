/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The directories that a process may still use, by Landlock: no other file is opened, made or
 * removed from now on, no TCP connection made, no signal sent to another process. Bound sockets and
 * open files stay what they are. Nothing takes it back.
 */

#pragma once

#include <stddef.h>

enum {
	MAY_READ = 1,
	MAY_KEEP_SOCKETS = 2, /* make and remove them */
};

struct file_access {
	const char *directory; /* and all below it; one that does not exist is left out */
	int may;
};

/*
 * For the calling thread and those that it starts. -1 with errno: ENOSYS or EOPNOTSUPP where the
 * kernel has none.
 */
int file_access_limit(const struct file_access *list, size_t count);
