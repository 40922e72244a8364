/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The kinds of socket that clients come to. */

#pragma once

#include <stdbool.h>

enum socket_kind { SOCKET_TCP, SOCKET_UDP, SOCKET_UNIX, SOCKET_UNIXGRAM };

extern const char *const socket_kind_names[]; /* as the log shows them: "tcp", ... */

static inline bool socket_is_stream(enum socket_kind kind)
{
	return kind == SOCKET_TCP || kind == SOCKET_UNIX;
}

static inline bool socket_is_unix(enum socket_kind kind)
{
	return kind == SOCKET_UNIX || kind == SOCKET_UNIXGRAM;
}
