/* SPDX-License-Identifier: MIT */
/* Copyright (c) 2026 The echod developers */

/* The listeners and the settings, as a part of the status page. Owns nothing. */

#pragma once

#include "base/bounded_text.h"
#include "echod/config/configuration.h"
#include "echod/sockets/socket_table.h"

/* Listeners that would leave less than KEEP bytes for the rest of the page are only counted. */
void status_listeners_write(struct bounded_text *page, const struct config *config,
			    const struct socket_table *table, size_t keep);

/* Those settings of [server] and [defaults] that are not at their defaults. */
void status_settings_write(struct bounded_text *page, const struct config *config);
