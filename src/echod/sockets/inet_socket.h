/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * TCP and UDP sockets: opened in a group of one for each worker, or tried. Owns nothing; used by
 * listen_socket.c.
 */

#pragma once

#include "base/address.h"
#include "base/compiler.h"
#include "echod/sockets/socket_kind.h"

/* A descriptor that is the caller's; -1 with errno and the call that failed in STEP. */
int inet_socket_open(enum socket_kind kind, const struct address *address,
		     const char **step) WARN_UNUSED;

/* Whether the address is free: 0, or -1 as above. */
int inet_socket_probe(enum socket_kind kind, const struct address *address,
		      const char **step) WARN_UNUSED;

/* What would help against ERROR, as the end of a line; "" if nothing special. */
const char *inet_socket_advice(int error);
