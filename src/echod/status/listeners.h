/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* What is served where and how, as a part of the status page. Owns nothing. */

#ifndef ECHOD_STATUS_LISTENERS_H
#define ECHOD_STATUS_LISTENERS_H

#include "base/bounded_text.h"
#include "echod/config/configuration.h"
#include "echod/sockets/socket_table.h"

/* What leaves less than KEEP bytes of the page for the rest of it is only counted. */
void status_listeners_write(struct bounded_text *page, const struct config *config,
			    const struct socket_table *table, size_t keep);

/* The settings of the process as a whole. */
void status_server_write(struct bounded_text *page, const struct server_config *server);

#endif
