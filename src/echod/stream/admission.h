/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/*
 * Who may become a connection, and the clients that count for it: once, or in two steps where a
 * proxy connects and the source it speaks for is known only later. Undone when the connection ends.
 */

#pragma once

#include <stdbool.h>

#include "base/compiler.h"
#include "echod/counters/counters.h"
#include "echod/guard/client_table.h"

struct peer;
struct service;

/*
 * The lists let PEER in, and it is one client more, and one more of its address: *COUNTED, unless
 * that is a unix socket, which has none.
 */
enum admission admit_client(const struct service *service, const struct peer *peer,
			    bool *counted) WARN_UNUSED;

/* PROXY is in proxy_from, and one client more. */
enum admission admit_proxy(const struct service *service, const struct peer *proxy) WARN_UNUSED;
/* The lists let in the SOURCE that the proxy names, and it is one more of that address. */
enum admission admit_source(const struct service *service, const struct peer *source,
			    bool *counted) WARN_UNUSED;

/* Counts it out: as a client, and as one of SOURCE if it was COUNTED there. */
void admission_end(const struct service *service, const struct peer *source, bool counted);

/* What a refusal is counted as. */
enum counter admission_counter(enum admission refusal);
