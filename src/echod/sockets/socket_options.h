/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * What we ask of the kernel for a socket. What every accepted connection needs is set on its
 * listener, from which it inherits, so that accepting one costs one call. Owns nothing.
 */

#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "echod/sockets/socket_kind.h"

/* Before bind(2), or on a socket that was handed over; -1 with errno. */
int socket_options_set(int fd, enum socket_kind kind) WARN_UNUSED;

/* What the kernel may refuse, and takes only from a socket that is bound and listens. */
void socket_options_finish(int fd, enum socket_kind kind);

/*
 * What a connection has not inherited: all, if it came before its listener was ours; on a unix
 * stream, which inherits nothing, that urgent bytes stay in their place.
 */
void socket_options_set_accepted(int fd, enum socket_kind kind);

/* The kernel granted a datagram socket less room for bursts than was asked for. */
bool socket_options_buffers_small(int fd, enum socket_kind kind);
