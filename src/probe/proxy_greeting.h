/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What a load balancer sends first on a connection: a header of the PROXY protocol. */

#pragma once

#include <stddef.h>

#include "base/address.h"

/* By option --proxy; none is sent unless it is given. */
enum proxy_greeting { PROXY_GREETING_NONE, PROXY_GREETING_V1, PROXY_GREETING_V2 };

#define PROXY_GREETING_MAX 108 /* version 1's longest, and its NUL */

/* The header of a TCP connection from SOURCE to DESTINATION, both of one family; its length. */
size_t proxy_greeting_write(enum proxy_greeting version, const struct address *source,
			    const struct address *destination,
			    unsigned char header[static PROXY_GREETING_MAX]);
