/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Who completed the TCP handshake: the server, or something before it, such as a SYN proxy, a load
 * balancer or a satellite gateway. In the latter case only the echo went the whole way.
 */

#pragma once

#include "probe/latency.h"
#include "probe/spread.h"

enum handshake_by { HANDSHAKE_BY_UNKNOWN, HANDSHAKE_BY_SERVER, HANDSHAKE_BY_OTHER };

enum handshake_by handshake_by(const struct spread *connect, const struct latency *echo);
