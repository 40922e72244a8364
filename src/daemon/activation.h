/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Sockets opened and passed by the service manager; see sd_listen_fds(3). Used once by control, at
 * startup. The caller owns the descriptors.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"

/* The maximum length of FileDescriptorName= in systemd. */
#define HANDED_NAME_MAX 255

enum handed_kind {
	HANDED_STREAM,	/* listening */
	HANDED_DATAGRAM /* not connected */
};

struct handed_socket {
	int fd;				/* close-on-exec and non-blocking */
	char name[HANDED_NAME_MAX + 1]; /* "unknown" if it has none */
	enum handed_kind kind;
	struct address address; /* local address */
	bool shares_address;	/* SO_REUSEPORT: other sockets may have the same one */
};

/* True if sockets were passed to this process. Valid only before activation_take. */
bool activation_present(void);

/*
 * Checks and returns the passed sockets, of which there may be none, and removes LISTEN_PID,
 * LISTEN_FDS and LISTEN_FDNAMES from the environment. The caller closes the descriptors and frees
 * the array; on failure, both are released here.
 */
int activation_take(struct handed_socket **sockets, size_t *count,
		    struct reason *reason) WARN_UNUSED;
