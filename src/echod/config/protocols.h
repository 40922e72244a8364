/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The value of `protocol`: a list of tcp and udp. Owns nothing. */

#pragma once

#include "daemon/settings/schema.h"

enum { PROTOCOL_TCP = 1, PROTOCOL_UDP = 2 };

extern const struct value_type protocols_value; /* uint64_t of their bits */
