/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * The sockets that the service manager opened for us (sd_listen_fds(3) describes how they are
 * handed over). Used once by control, at start. Owns nothing afterwards: the descriptors are the
 * caller's.
 */

#ifndef DAEMON_ACTIVATION_H
#define DAEMON_ACTIVATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"

/* The longest FileDescriptorName= that systemd accepts. */
#define HANDED_NAME_MAX 255

enum handed_kind {
	HANDED_STREAM,	/* listens */
	HANDED_DATAGRAM /* is not connected */
};

struct handed_socket {
	int fd;				/* close-on-exec and not blocking */
	char name[HANDED_NAME_MAX + 1]; /* "unknown" when it was given none */
	enum handed_kind kind;
	struct address address; /* where it is bound */
};

/* True when sockets are handed to this process. Changes nothing, so only before activation_take. */
bool activation_present(void);

/*
 * Takes the handed sockets, each checked, and removes LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES
 * from the environment; none is not an error. The array is the caller's to free(3), as are the
 * descriptors; on failure both are gone already.
 */
int activation_take(struct handed_socket **sockets, size_t *count,
		    struct reason *reason) WARN_UNUSED;

#endif
