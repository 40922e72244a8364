/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* A listening socket for an HTTP server of a daemon that has no other sockets. */

#pragma once

#include <stdbool.h>

#include "base/address.h"
#include "base/compiler.h"
#include "base/reason.h"

/* Not blocking. -1 with errno and a reason. *BOUND is where, with the port that it got. */
int http_listen(const struct address *address, struct address *bound,
		struct reason *reason) WARN_UNUSED;
