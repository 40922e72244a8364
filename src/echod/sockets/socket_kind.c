/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* See socket_kind.h. */

#include "config.h"

#include "echod/sockets/socket_kind.h"

const char *const socket_kind_names[] = {"tcp", "udp", "unix", "unixgram"};
