/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Who may become a connection, in two steps: the socket's, when it has been accepted, and that of
 * the source it speaks for, which may be known only later. Undone when the connection ends.
 */

#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "echod/guard/client_table.h"

struct service;
struct sockaddr;

/* Its address is let in, and it is one client more. */
enum admission admit_socket(const struct service *service, const struct sockaddr *peer) WARN_UNUSED;

/* It is one more of SOURCE: *COUNTED, unless that is a unix socket, which has no address. */
enum admission admit_source(const struct service *service, const struct sockaddr *source,
			    bool *counted) WARN_UNUSED;

/* Counts it out: as a client, and as one of SOURCE if it was COUNTED there. */
void admission_end(const struct service *service, const struct sockaddr *source, bool counted);
